import { expect, test } from 'vitest';
import { createIdentity } from '../../../../core/identity/identity.ts';
import type { IdentityRepository, ValidToken } from '../../../../core/identity/repository.ts';
import { createTokenSigner } from '../../../../core/identity/token.ts';
import { newSigningKey } from '../../../support/identity.ts';

const HOUR_MS = 3_600_000;

async function service() {
  const time = { nowMs: HOUR_MS };
  const revocations: unknown[] = [];
  const counts = new Map<string, number>();
  const repository = {
    revoke: async (revocation: unknown) => void revocations.push(revocation),
    failures: async (keys: readonly string[]) => keys.map((key) => counts.get(key) ?? 0),
    countFailure: async (key: string) => void counts.set(key, (counts.get(key) ?? 0) + 1),
  } as unknown as IdentityRepository;
  const signer = await createTokenSigner([await newSigningKey()]);
  const clock = { now: () => time.nowMs };
  const identity = createIdentity({ repository, clock, newId: () => 'id', signer, tokenLifetimeSeconds: 3600 });
  return { identity, revocations, time };
}

const tokenOf = (user: string, ...roles: string[]) =>
  ({
    auditIds: [`audit-${user}`],
    user: { id: user },
    roles: roles.map((name) => ({ id: name, name })),
  }) as unknown as ValidToken;

test('a user revokes so many tokens an hour, others and administrators are not kept from it', async () => {
  const { identity, revocations, time } = await service();
  const eve = tokenOf('eve', 'member');
  const revokeByEve = () => identity.revokeToken(eve, eve);
  for (let n = 0; n < 200; n++) await revokeByEve();

  await expect(revokeByEve()).rejects.toMatchObject({ kind: 'TooManyRequests', retryAfterSeconds: 3600 });
  expect(revocations).toHaveLength(200);

  await identity.revokeToken(tokenOf('bob', 'member'), tokenOf('bob', 'member'));
  await identity.revokeToken(eve, tokenOf('root', 'admin'));
  time.nowMs += HOUR_MS;
  await revokeByEve();
  expect(revocations).toHaveLength(203);
});
