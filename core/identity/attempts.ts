import ipaddr from 'ipaddr.js';
import type { Clock } from '../clock.ts';
import { TooManyRequests } from '../errors.ts';
import type { IdentityRepository } from './repository.ts';

/**
 * Wrong passwords are counted in the table, so all processes agree. The limit holds per account and source together: guessing
 * does not lock the owner out elsewhere. A second one per source stops trying one password on many accounts.
 * Above a limit the answer is 429 with Retry-After (and not Keystone's 401), so that a person with a typo in a script learns why.
 */
const WINDOW_SECONDS = 60;
const LIMITS = { accountAndSource: 10, source: 100 } as const;

export interface Attempts {
  /** @throws TooManyRequests when there were too many failures in this window. */
  check(account: string, source: string): Promise<void>;
  countFailure(account: string, source: string): Promise<void>;
}

export function createAttempts(repository: IdentityRepository, clock: Clock): Attempts {
  const nowSeconds = () => Math.floor(clock.now() / 1000);
  const window = () => Math.floor(nowSeconds() / WINDOW_SECONDS);
  const keys = (account: string, source: string) => {
    const network = networkOf(source);
    return [`${window()}#${network}#${account}`, `${window()}#${network}`];
  };
  return {
    check: async (account, source) => {
      const [both = 0, alone = 0] = await repository.failures(keys(account, source));
      if (both < LIMITS.accountAndSource && alone < LIMITS.source) return;
      const retryAfterSeconds = (window() + 1) * WINDOW_SECONDS - nowSeconds();
      throw new TooManyRequests(
        `Too many failed log-ins; try again in ${retryAfterSeconds} seconds.`,
        retryAfterSeconds,
      );
    },
    countFailure: async (account, source) => {
      const expiresAtSeconds = (window() + 2) * WINDOW_SECONDS;
      await Promise.all(keys(account, source).map((key) => repository.countFailure(key, expiresAtSeconds)));
    },
  };
}

const IPV6_PREFIX_BITS = 64;

/**
 * What one client has: an address of version 4, or the /64 that an address of version 6 lies in, since whoever has one of it has them
 * all. What is no address stays as it is.
 */
export function networkOf(source: string): string {
  const bare = source.replace(/^\[|\]$/g, '');
  if (!ipaddr.isValid(bare)) return source;
  const address = ipaddr.process(bare);
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${IPV6_PREFIX_BITS}`)}/${IPV6_PREFIX_BITS}`;
}
