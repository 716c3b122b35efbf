import { expect, it } from 'vitest';
import type { Revocation } from '../../../../core/identity/records.ts';
import { createRevocations } from '../../../../core/identity/revocations.ts';
import type { TokenClaims } from '../../../../core/identity/token.ts';

const claims = (different: Partial<TokenClaims> = {}): TokenClaims => ({
  user: 'u1',
  methods: ['password'],
  audit: ['a1'],
  issuedAt: 1000,
  expiresAt: 9_999_999,
  project: 'p1',
  ...different,
});

/** A partition of revocations whose queries answer when they are told to. */
function partition() {
  const stored: Revocation[] = [];
  const queries: (() => void)[] = [];
  let nowMs = 0;
  return {
    stored,
    queries,
    clock: { now: () => nowMs },
    setNow: (ms: number) => {
      nowMs = ms;
    },
    repository: {
      revoke: async (revocation: Revocation) => {
        stored.push(revocation);
      },
      revocations: () => {
        const snapshot = [...stored];
        return new Promise<Revocation[]>((resolve) => queries.push(() => resolve(snapshot)));
      },
    },
  };
}
const revocationOf = (subject: Revocation['subject'], issuedBeforeMs: number): Revocation => ({
  subject,
  issuedBeforeMs,
  expiresAtSeconds: 999_999,
});

async function isRevoked(subject: Revocation['subject'], before: number, token: TokenClaims): Promise<boolean> {
  const { stored, queries, clock, repository } = partition();
  stored.push(revocationOf(subject, before));
  const verdict = createRevocations(repository, clock).isRevoked(token);
  queries[0]?.();
  return verdict;
}

it.each([
  ['token:a1', 1000, true],
  ['token:a2', 1000, false],
  ['user:u1', 1000, true],
  ['user:u1', 999, false],
  ['project:p1', 5000, true],
  ['project:p2', 5000, false],
  ['credential:c1', 5000, true],
] as const)('%s before %i: %s', async (subject, before, expected) => {
  expect(await isRevoked(subject, before, claims({ credential: 'c1', audit: ['a1', 'a2'] }))).toBe(expected);
});

it('reads once for many questions, and again after five seconds', async () => {
  const { queries, clock, setNow, repository } = partition();
  const revocations = createRevocations(repository, clock);
  const asked = [revocations.isRevoked(claims()), revocations.isRevoked(claims())];
  queries[0]?.();

  expect(await Promise.all(asked)).toEqual([false, false]);
  expect(queries).toHaveLength(1);
  setNow(4999);
  expect(revocations.isRevoked(claims())).toBe(false);
  setNow(5000);
  expect(revocations.isRevoked(claims())).toBeInstanceOf(Promise);
  expect(queries).toHaveLength(2);
});

it('does not lose a revocation made while the partition is being read', async () => {
  const { queries, clock, repository } = partition();
  const revocations = createRevocations(repository, clock);
  const asked = revocations.isRevoked(claims());
  const made = revocationOf('token:a1', 2000);
  await repository.revoke(made);
  revocations.note(made);
  queries[0]?.();
  await asked;

  const after = revocations.isRevoked(claims());
  queries[1]?.();

  expect(await after).toBe(true);
});
