/** What a patch costs: work that grows with its operations, and no more of them than a request may have. */
import { describe, expect, test } from 'vitest';
import type { Image } from '../../../../core/images/image.ts';
import { type Change, patchImage } from '../../../../core/images/patch.ts';
import { callerWith } from '../../../support/caller.ts';
import { anImage } from '../../../support/images.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';
import { aSigner, asPem } from '../../../support/signer.ts';

const OWNER = callerWith({ projectId: 'demo' });
const CONFIG = { image_property_quota: -1, image_tag_quota: -1 };

const property = (op: 'add' | 'replace' | 'remove', name: string, value: string | null = 'x'): Change => ({
  ...{ kind: 'property', strict: false },
  ...{ op, name, value },
});
const base = (name: string, attribute: 'name' | 'visibility', value: string): Change => ({
  ...{ kind: 'base', op: 'replace', strict: false },
  ...{ name, attribute, value },
});
const many = (count: number) => Array.from({ length: count }, (_, n) => property('add', `key-${n}`));

async function patching(mode: boolean, changes: readonly Change[]) {
  const counted = { questions: 0 };
  const deps = memoryDeps({ ...CONFIG, enforce_new_defaults: mode });
  const { policy } = deps;
  const image = anImage({ properties: { there: 'before' } });
  await deps.images.create(image);
  const asked = {
    ...deps,
    policy: {
      ...policy,
      allows: (...question: Parameters<typeof policy.allows>) => {
        counted.questions += 1;
        return policy.allows(...question);
      },
    },
  };
  const before = process.cpuUsage();
  const { image: after } = await patchImage(asked, OWNER, image.id, changes);
  const { user, system } = process.cpuUsage(before);
  return { after, questions: counted.questions, cpuMicros: user + system };
}

describe.each([true, false])('with enforce_new_defaults %s', (mode) => {
  test('policy is asked once for each rule, not for each operation', async () => {
    const few = await patching(mode, [...many(2), base('name', 'name', 'n')]);
    const lots = await patching(mode, [
      ...many(2_000),
      ...Array.from({ length: 100 }, (_, n) => base('name', 'name', `${n}`)),
    ]);

    expect(lots.questions).toBe(few.questions);
    expect(Object.keys(lots.after.properties)).toHaveLength(2_001);
    expect(lots.after.name).toBe('99');
  });
});

test('four times the operations take about four times as long', async () => {
  await patching(true, many(1_000));
  const least = async (count: number) => {
    const runs: number[] = [];
    for (let run = 0; run < 3; run += 1) runs.push((await patching(true, many(count))).cpuMicros);
    return Math.min(...runs);
  };
  const [small, large] = [await least(1_000), await least(4_000)];

  expect(large).toBeLessThan(small * 9 + 50_000);
});

test('operations are applied in order, each to what the ones before it left', async () => {
  const { after } = await patching(true, [
    property('add', 'a', '1'),
    property('replace', 'a', '2'),
    property('remove', 'there', null),
    property('add', 'there', 'again'),
    property('add', 'gone'),
    property('remove', 'gone', null),
  ]);

  expect(after.properties).toEqual({ a: '2', there: 'again' });
});

test('a removed property is not there for the next operation', async () => {
  await expect(patching(true, [property('remove', 'there', null), property('replace', 'there')])).rejects.toMatchObject(
    { kind: 'Conflict', message: expect.stringContaining('there does not exist') },
  );
});

test('more operations than a request may have are refused before anything is read', async () => {
  const deps = memoryDeps(CONFIG);

  await expect(patchImage(deps, OWNER, 'no image at all', many(5_001))).rejects.toMatchObject({
    kind: 'LimitExceeded',
    message: expect.stringContaining('5000'),
  });
});

test('as many locations as would keep a store busy are refused', async () => {
  const deps = memoryDeps({ ...CONFIG, show_multiple_locations: true, image_location_quota: -1 });
  const change: Change = {
    ...{ kind: 'locations', op: 'add', strict: false, name: 'locations', at: 'end' },
    values: [{ url: 's3://central-bucket/x', metadata: {} }],
  };

  await expect(
    patchImage(
      deps,
      OWNER,
      'no image at all',
      Array.from({ length: 101 }, () => change),
    ),
  ).rejects.toMatchObject({ kind: 'LimitExceeded', message: expect.stringContaining('100') });
});

describe('the mark of a verified signature', () => {
  test.each([
    [property('add', 'other'), 'verified'],
    [base('name', 'name', 'n'), 'verified'],
    [property('replace', 'img_signature', 'of nobody'), null],
    [property('remove', 'img_signature_hash_method'), null],
  ])('after %j is %s', async (change, expected) => {
    const deps = memoryDeps(CONFIG);
    const properties = { img_signature: 'AAAA', img_signature_hash_method: 'SHA-256' };
    const image = anImage({ status: 'active', signature: 'verified', properties });
    await deps.images.create(image);

    await patchImage(deps, OWNER, image.id, [change]);

    expect(await deps.images.get(image.id)).toMatchObject({ signature: expected });
  });
});

describe('where signatures are required', () => {
  const required = {
    ...CONFIG,
    signed_images: {
      require_signature: { public: 'always', community: 'trusted' },
      trusted_certificates: [asPem(aSigner().certificate)],
    },
  };
  const ADMIN = callerWith({ projectId: 'demo', roles: ['admin'], isAdmin: true });
  const SIGNED = { img_signature: 'AAAA', img_signature_hash_method: 'SHA-256' };
  const to = (visibility: string) => base('visibility', 'visibility', visibility);

  async function patched(attributes: Partial<Image>, changes: readonly Change[]): Promise<Image> {
    const deps = memoryDeps(required);
    const image = anImage({ status: 'active', owner: 'demo', properties: SIGNED, ...attributes });
    await deps.images.create(image);
    return (await patchImage(deps, ADMIN, image.id, changes)).image;
  }

  test.each([
    ['private', null, 'public', false],
    ['private', 'dropped', 'public', false],
    ['private', 'verified', 'public', true],
    ['private', 'trusted', 'public', true],
    ['private', 'verified', 'community', false],
    ['private', 'trusted', 'community', true],
    ['public', null, 'private', true],
    ['public', null, 'community', false],
    ['private', null, 'shared', true],
  ] as const)('from %s, signature %s, to %s: %s', async (visibility, signature, next, isAllowed) => {
    const patching = patched({ visibility, signature }, [to(next)]);

    if (isAllowed) await expect(patching).resolves.toMatchObject({ visibility: next });
    else
      await expect(patching).rejects.toMatchObject({
        kind: 'Conflict',
        message: expect.stringContaining(`an image whose visibility is ${next} needs a good signature`),
      });
  });

  test.each(['saving', 'importing'] as const)('an image that is %s waits for its bytes', async (status) => {
    await expect(patched({ status, lock: 'writer', visibility: 'private' }, [to('public')])).rejects.toMatchObject({
      kind: 'Conflict',
      message: expect.stringContaining('known when its bytes are complete'),
    });
  });

  test.each(['queued', 'uploading'] as const)('an image that is %s may go anywhere', async (status) => {
    expect(await patched({ status, visibility: 'private' }, [to('public')])).toMatchObject({ visibility: 'public' });
  });

  test('a signature stays where it is needed', async () => {
    const forged = [property('replace', 'img_signature', 'BBBB')];

    await expect(patched({ visibility: 'public', signature: 'verified' }, forged)).rejects.toThrow('needs a good');
    expect(await patched({ visibility: 'private', signature: 'verified' }, forged)).toMatchObject({ signature: null });
    await expect(patched({ visibility: 'private', signature: 'trusted' }, [...forged, to('public')])).rejects.toThrow(
      'needs a good',
    );
  });

  test('one that was there before signatures were required can be changed', async () => {
    const changes = [base('name', 'name', 'n'), property('add', 'other')];
    expect(await patched({ visibility: 'public', signature: null }, changes)).toMatchObject({ name: 'n' });
  });
});
