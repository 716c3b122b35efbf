import { expect, test } from 'vitest';
import { createAttempts, networkOf } from '../../../../core/identity/attempts.ts';
import type { IdentityRepository } from '../../../../core/identity/repository.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['[2001:DB8:1:2::9]', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
  ['somewhere', 'somewhere'],
])('%s counts as %s', (source, network) => {
  expect(networkOf(source)).toBe(network);
});

test('addresses of one /64 share one count, others keep theirs', async () => {
  const counts = new Map<string, number>();
  const repository = {
    failures: async (keys: readonly string[]) => keys.map((key) => counts.get(key) ?? 0),
    countFailure: async (key: string) => void counts.set(key, (counts.get(key) ?? 0) + 1),
  } as unknown as IdentityRepository;
  const attempts = createAttempts(repository, { now: () => 0 });

  for (let n = 1; n <= 10; n++) await attempts.countFailure('account', `2001:db8::${n}`);

  await expect(attempts.check('account', '2001:db8::ffff')).rejects.toMatchObject({ kind: 'TooManyRequests' });
  await expect(attempts.check('account', '2001:db8:0:1::1')).resolves.toBeUndefined();
});
