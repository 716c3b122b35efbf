import type { Clock } from '../clock.ts';
import { TooManyRequests } from '../errors.ts';
import type { IdentityRepository } from './repository.ts';

/** Tokens that one user may revoke in an hour. */
const PER_HOUR = 200;
const HOUR_SECONDS = 3600;

/**
 * Every process that checks tokens reads all revocations every few seconds, and they live for two days: one user's share of them has a
 * bound. Counted in the table, so that all processes agree.
 */
export interface RevokingLimit {
  /** @throws TooManyRequests */
  spend(userId: string): Promise<void>;
}

export function createRevokingLimit(
  repository: Pick<IdentityRepository, 'failures' | 'countFailure'>,
  clock: Clock,
): RevokingLimit {
  return {
    async spend(userId) {
      const nowSeconds = Math.floor(clock.now() / 1000);
      const hour = Math.floor(nowSeconds / HOUR_SECONDS);
      const key = `revoking#${hour}#${userId}`;
      const [revoked = 0] = await repository.failures([key]);
      if (revoked >= PER_HOUR) {
        const seconds = (hour + 1) * HOUR_SECONDS - nowSeconds;
        throw new TooManyRequests(`Too many tokens were revoked; try again in ${seconds} seconds.`, seconds);
      }
      await repository.countFailure(key, (hour + 2) * HOUR_SECONDS);
    },
  };
}
