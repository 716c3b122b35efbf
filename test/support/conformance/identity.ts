import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Credential, Domain, Grant, Project, Role, User } from '../../../core/identity/records.ts';
import type { IdentityRepository } from '../../../core/identity/repository.ts';

export interface OpenIdentity {
  readonly identity: IdentityRepository;
  /** The repository's clock. */
  readonly time: { nowMs: number };
  close(): Promise<void>;
}

const aDomain = (id: string, more: Partial<Domain> = {}): Domain => ({
  ...{ id, name: id, description: '', enabled: true, ...more },
});
const aProject = (id: string, more: Partial<Project> = {}): Project => ({
  ...{ id, name: id, domainId: 'default', description: '', enabled: true, tags: ['t'], ...more },
});
const aUser = (id: string, more: Partial<User> = {}): User => ({
  ...{ id, name: id, domainId: 'default', enabled: true, email: null, description: null },
  ...{ defaultProjectId: null, passwordHash: null, ...more },
});
const aRole = (id: string): Role => ({ id, name: id, description: null });
const aCredential = (id: string, userId: string, more: Partial<Credential> = {}): Credential => ({
  ...{ id, name: id, description: null, userId, projectId: 'p', roleIds: ['r'] },
  ...{ secretHash: 'h', expiresAtMs: null, unrestricted: false, ...more },
});

/** What every IdentityRepository does. */
export function identityRepositorySuite(open: () => Promise<OpenIdentity>): void {
  let opened: OpenIdentity;
  let identity: IdentityRepository;
  beforeAll(async () => {
    opened = await open();
    identity = opened.identity;
  });
  afterAll(() => opened.close());

  describe('named records', () => {
    test('are found by id, and by name in their space', async () => {
      const user = aUser('find-u', { name: 'same' });
      const elsewhere = aUser('find-e', { name: 'same', domainId: 'other' });
      await identity.create('user', user);
      await identity.create('user', elsewhere);
      await identity.create('project', aProject('find-u', { name: 'same' }));

      expect(await identity.get('user', 'find-u')).toEqual(user);
      expect(await identity.get('role', 'find-u')).toBeUndefined();
      expect(await identity.findByName('user', 'default', 'same')).toEqual(user);
      expect(await identity.findByName('user', 'other', 'same')).toEqual(elsewhere);
      expect(await identity.findByName('user', 'third', 'same')).toBeUndefined();
    });

    test('have an id and a name of their own', async () => {
      await identity.create('role', aRole('own'));

      await expect(identity.create('role', { ...aRole('own'), name: 'another' })).rejects.toMatchObject({
        kind: 'Conflict',
        message: 'Conflict occurred attempting to store role: the id own is taken.',
      });
      await expect(identity.create('role', { ...aRole('another'), name: 'own' })).rejects.toMatchObject({
        kind: 'Conflict',
        message: 'Conflict occurred attempting to store role: the name "own" is taken.',
      });
      expect(await identity.get('role', 'another')).toBeUndefined();
    });

    test('are replaced; the name moves with them', async () => {
      const before = aProject('move', { name: 'old' });
      await identity.create('project', before);
      await identity.replace('project', before, { ...before, description: 'd' });
      await identity.replace('project', before, { ...before, name: 'new' });

      expect(await identity.findByName('project', 'default', 'old')).toBeUndefined();
      expect(await identity.findByName('project', 'default', 'new')).toEqual({ ...before, name: 'new' });
      await identity.create('project', aProject('move-2', { name: 'old' }));
    });

    test('are not replaced when they are gone, nor by a name that is taken', async () => {
      const [one, two] = [aProject('taken-1'), aProject('taken-2')];
      await identity.create('project', one);
      await identity.create('project', two);

      await expect(identity.replace('project', one, { ...one, name: 'taken-2' })).rejects.toMatchObject({
        kind: 'Conflict',
        message: 'Conflict occurred attempting to store project: the name "taken-2" is taken.',
      });
      expect(await identity.get('project', 'taken-1')).toEqual(one);
      const gone = aProject('gone');
      for (const after of [gone, { ...gone, name: 'free' }])
        await expect(identity.replace('project', gone, after)).rejects.toMatchObject({
          kind: 'NotFound',
          message: 'Could not find project: gone.',
        });
    });

    test('are deleted once and for all; then id and name are free', async () => {
      const domain = aDomain('deleted');
      await identity.create('domain', domain);
      await identity.delete('domain', domain);
      await identity.delete('domain', domain);

      expect(await identity.get('domain', 'deleted')).toBeUndefined();
      expect(await identity.findByName('domain', '', 'deleted')).toBeUndefined();
      await identity.create('domain', domain);
    });

    test('are listed by name, this process’s latest included; credentials by their user', async () => {
      const before = (await identity.list('role')).length;
      await identity.create('role', aRole('zz'));
      await identity.create('role', aRole('00'));
      await identity.create('credential', aCredential('c2', 'lister', { name: 'b' }));
      await identity.create('credential', aCredential('c1', 'lister', { name: 'c' }));
      await identity.create('credential', aCredential('c3', 'somebody'));
      const roles = (await identity.list('role')).map(({ name }) => name);

      expect(roles).toHaveLength(before + 2);
      expect(roles).toEqual(roles.toSorted());
      expect((await identity.list('credential', 'lister')).map(({ id }) => id)).toEqual(['c2', 'c1']);
      expect(await identity.list('credential', 'nobody')).toEqual([]);
    });
  });

  describe('grants', () => {
    const aGrant = (userId: string, roleId: string, kind: Grant['scope']['kind'], id: string): Grant => ({
      ...{ userId, roleId, scope: { kind, id } },
    });

    test('are held once, and listed by user, by scope and altogether', async () => {
      const [first, second, system] = [
        aGrant('u1', 'r1', 'project', 'p1'),
        aGrant('u2', 'r1', 'project', 'p1'),
        aGrant('u1', 'r2', 'system', 'all'),
      ] as const;
      for (const grant of [first, second, system, first]) await identity.putGrant(grant);

      expect(await identity.grantsOf('u1')).toEqual([first, system]);
      expect(await identity.grantsOf('nobody')).toEqual([]);
      expect(await identity.grantsOn({ kind: 'project', id: 'p1' })).toEqual([first, second]);
      expect(await identity.grantsOn({ kind: 'domain', id: 'p1' })).toEqual([]);
      expect(await identity.allGrants()).toEqual([first, system, second]);
      expect(await identity.removeGrant(first)).toBe(true);
      expect(await identity.removeGrant(first)).toBe(false);
      expect(await identity.grantsOn({ kind: 'project', id: 'p1' })).toEqual([second]);
    });
  });

  describe('revocations', () => {
    test('hold until they expire; an earlier one takes nothing back from a later one', async () => {
      const nowSeconds = opened.time.nowMs / 1000;
      const later = { subject: 'user:u', issuedBeforeMs: 200, expiresAtSeconds: nowSeconds + 10 } as const;
      await identity.revoke(later);
      await identity.revoke({ ...later, issuedBeforeMs: 100, expiresAtSeconds: nowSeconds + 99 });
      await identity.revoke({ subject: 'token:t', issuedBeforeMs: 1, expiresAtSeconds: nowSeconds + 1 });

      expect(await identity.revocations()).toEqual(
        expect.arrayContaining([later, { subject: 'token:t', issuedBeforeMs: 1, expiresAtSeconds: nowSeconds + 1 }]),
      );
      opened.time.nowMs += 1000;
      expect(await identity.revocations()).toEqual([later]);
    });

    test('failures are counted under each key', async () => {
      const until = opened.time.nowMs / 1000 + 60;
      await Promise.all([identity.countFailure('a', until), identity.countFailure('a', until)]);
      await identity.countFailure('b', until);

      expect(await identity.failures(['b', 'a', 'never'])).toEqual([1, 2, 0]);
    });
  });
}
