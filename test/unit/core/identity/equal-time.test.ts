/** Who is unknown must cost what who is known costs: counted in derivations and their parameters, not in seconds. */
import { beforeEach, expect, test, vi } from 'vitest';

const derived: { readonly N?: number; readonly r?: number; readonly p?: number }[] = [];
vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:crypto')>();
  return {
    ...original,
    scrypt: (...args: Parameters<typeof original.scrypt>) => {
      derived.push(args[3] as (typeof derived)[number]);
      original.scrypt(...args);
    },
  };
});

const { prove } = await import('../../../../core/identity/login.ts');
const { hashPassword } = await import('../../../../core/identity/password.ts');

const user = { id: 'u1', name: 'known', domainId: 'default', enabled: true, passwordHash: await hashPassword('right') };
const generated = { ...user, id: 'u3', name: 'generated', passwordHash: await hashPassword('right', 'random') };
const ownSecret = { id: 'c3', name: 'own', userId: 'u1', secretHash: await hashPassword('right') };
const credential = { id: 'c1', name: 'known', userId: 'u1', secretHash: await hashPassword('right', 'random') };
const deps = {
  repository: {
    get: async (kind: string, id: string) =>
      (kind === 'user' ? [user, generated] : [credential, ownSecret]).find((record) => record.id === id),
    findByName: async (kind: string, _: string, name: string) =>
      name !== 'known' ? undefined : kind === 'user' ? user : kind === 'credential' ? credential : undefined,
  },
  attempts: { check: async () => undefined, countFailure: async () => undefined },
  turnstile: (work: () => Promise<unknown>) => work(),
  validate: async () => Promise.reject(new Error('not asked')),
} as unknown as Parameters<typeof prove>[0];

type Proofs = Parameters<typeof prove>[1];
async function costOf(proofs: Proofs): Promise<unknown[]> {
  derived.length = 0;
  await expect(prove(deps, proofs, 'here')).rejects.toMatchObject({ kind: 'Unauthenticated' });
  return derived.map((cost) => JSON.stringify(cost)).toSorted();
}

beforeEach(() => {
  derived.length = 0;
});

test('users, with a password of their own or a generated one', async () => {
  const known = await costOf({ password: { user: { id: 'u1' }, password: 'wrong' } });

  expect(known).not.toHaveLength(0);
  expect(await costOf({ password: { user: { id: 'u2' }, password: 'wrong' } })).toEqual(known);
  expect(await costOf({ password: { user: { id: 'u3' }, password: 'wrong' } })).toEqual(known);
  expect(
    await costOf({ password: { user: { name: 'unknown', domain: { id: 'default' } }, password: 'wrong' } }),
  ).toEqual(known);
});

test('application credentials, by id, with a secret of their own, and by a name of a known or an unknown user', async () => {
  const known = await costOf({ credential: { id: 'c1', secret: 'wrong' } });

  expect(known).not.toHaveLength(0);
  expect(await costOf({ credential: { id: 'c2', secret: 'wrong' } })).toEqual(known);
  expect(await costOf({ credential: { id: 'c3', secret: 'wrong' } })).toEqual(known);
  for (const id of ['u1', 'u2'])
    expect(await costOf({ credential: { name: 'unknown', user: { id }, secret: 'wrong' } })).toEqual(known);
});
