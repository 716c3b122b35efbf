import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Member } from '../../../core/members/member.ts';
import type { MemberRepository } from '../../../core/members/repository.ts';

const AT = '2026-01-01T00:00:00.000Z';

/** A pending membership of project `alt`. */
export const aMember = (attributes: Partial<Member> & Pick<Member, 'imageId'>): Member => ({
  ...{ project: 'alt', status: 'pending', imageCreatedAt: AT, createdAt: AT, updatedAt: AT },
  ...attributes,
});

/** What every MemberRepository does. */
export function memberRepositorySuite(
  open: () => Promise<{ readonly members: MemberRepository; close(): Promise<void> }>,
): void {
  let members: MemberRepository;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ members, close } = await open());
  });
  afterAll(() => close());

  describe('memberships', () => {
    test('are found by image and project, and listed by image in the order of their projects', async () => {
      for (const project of ['c', 'a', 'b']) await members.create(aMember({ imageId: 'one', project }));
      await members.create(aMember({ imageId: 'two', project: 'a', status: 'accepted' }));

      expect(await members.get('one', 'b')).toEqual(aMember({ imageId: 'one', project: 'b' }));
      expect(await members.get('one', 'd')).toBeUndefined();
      expect(await members.get('one', '')).toBeUndefined();
      expect((await members.list('one')).map(({ project }) => project)).toEqual(['a', 'b', 'c']);
      expect(await members.list('three')).toEqual([]);
    });

    test('exist once per image and project', async () => {
      await members.create(aMember({ imageId: 'once' }));

      await expect(members.create(aMember({ imageId: 'once', status: 'accepted' }))).rejects.toMatchObject({
        kind: 'Conflict',
        message: 'Image member alt already exists for image once',
      });
      expect(await members.get('once', 'alt')).toMatchObject({ status: 'pending' });
    });

    test('change their status and the time of the change', async () => {
      await members.create(aMember({ imageId: 'status' }));

      const changed = await members.setStatus('status', 'alt', 'accepted', '2026-02-02T00:00:00.000Z');

      expect(changed).toEqual(
        aMember({ imageId: 'status', status: 'accepted', updatedAt: '2026-02-02T00:00:00.000Z' }),
      );
      expect(await members.get('status', 'alt')).toEqual(changed);
    });

    test('that do not exist are neither changed nor deleted', async () => {
      const missing = { kind: 'NotFound', message: 'alt is no member of image missing' };

      await expect(members.setStatus('missing', 'alt', 'accepted', AT)).rejects.toMatchObject(missing);
      await expect(members.delete('missing', 'alt')).rejects.toMatchObject(missing);
      expect(await members.get('missing', 'alt')).toBeUndefined();
    });

    test('go one by one, or with their image; then they may be made again', async () => {
      for (const project of ['a', 'b', 'c']) await members.create(aMember({ imageId: 'gone', project }));
      await members.create(aMember({ imageId: 'gone too', project: 'a' }));
      await members.delete('gone', 'b');
      expect((await members.list('gone')).map(({ project }) => project)).toEqual(['a', 'c']);

      await members.deleteAll('gone');
      await members.deleteAll('gone');

      expect(await members.list('gone')).toEqual([]);
      expect(await members.list('gone too')).toHaveLength(1);
      await members.create(aMember({ imageId: 'gone', project: 'a' }));
    });
  });
}
