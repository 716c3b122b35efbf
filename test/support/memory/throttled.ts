import { Throttled } from '../../../core/errors.ts';
import type { ImportRig } from './imports.ts';

/** Attempts of the SDK's clients, as service/deps.ts and aws/s3/client.ts make them. */
export const ATTEMPTS = { records: 3, stores: 4 };

/** What the adapters make of it when DynamoDB and S3 take no more (aws/throttling.ts). */
const refusal = (): Throttled => new Throttled('The service is asked more than it can take; try again later.');

/**
 * Throttles half of all calls to records and stores while `isThrottling`; the same ones for the same seed. A call of a port is lost
 * when each attempt of its client was.
 */
export function throttleHalf(rig: ImportRig, seed: number, isThrottling: () => boolean): { lost: number } {
  const counted = { lost: 0 };
  let state = seed;
  const isHit = (): boolean => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >= 2 ** 31;
  };
  const isLost = (attempts: number): boolean => {
    if (!isThrottling() || !Array.from({ length: attempts }, isHit).every(Boolean)) return false;
    counted.lost += 1;
    return true;
  };
  const { images, tasks, duties } = rig.deps;
  const throttled = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name, receiver) {
        const method: unknown = Reflect.get(target, name, receiver);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]) => {
          if (isLost(ATTEMPTS.records)) throw refusal();
          return method.apply(target, given) as unknown;
        };
      },
    });
  Object.assign(rig.deps, { images: throttled(images), tasks: throttled(tasks), duties: throttled(duties) });
  for (const store of [rig.staging, ...Object.values(rig.stores)]) {
    store.fault = () => {
      if (isLost(ATTEMPTS.stores)) throw refusal();
    };
  }
  return counted;
}
