import { BackendUnavailable } from '../../../core/errors.ts';
import type { ImportRig } from './imports.ts';
import { ATTEMPTS } from './throttled.ts';

export interface FailedCalls {
  readonly failed: number;
  readonly lost: number;
  end(): void;
}

/**
 * A share of all calls to records and stores fails, half of them before their work and half with their answer. Clients try again by
 * themselves, as the SDK's do: a conditional write may find its own first attempt. What failed in every attempt its caller is told.
 * @returns calls that failed, and those of them of which the caller was told; `end` heals all
 */
export function failCalls(rig: ImportRig, rate: number, random: () => number): FailedCalls {
  let isOver = false;
  const counted = { failed: 0, lost: 0 };
  const failure = (): BackendUnavailable => new BackendUnavailable('the connection was lost');
  const fails = (): boolean => {
    const hit = !isOver && random() < rate;
    if (hit) counted.failed += 1;
    return hit;
  };
  const lost = (): BackendUnavailable => {
    counted.lost += 1;
    return failure();
  };
  const called = async (call: () => unknown): Promise<unknown> => {
    for (let attempt = 1; ; attempt++) {
      const isHit = fails();
      const isBefore = isHit && random() < 0.5;
      const answer = isBefore ? undefined : await call();
      if (!isHit) return answer;
      if (attempt === ATTEMPTS.records) throw lost();
    }
  };
  const { images, tasks, duties, usage } = rig.deps;
  const failing = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name, receiver) {
        const method: unknown = Reflect.get(target, name, receiver);
        if (typeof method !== 'function') return method;
        return (...given: unknown[]) => called(() => method.apply(target, given) as unknown);
      },
    });
  Object.assign(rig.deps, {
    images: failing(images),
    tasks: failing(tasks),
    duties: failing(duties),
    usage: failing(usage),
  });
  for (const store of [rig.staging, ...Object.values(rig.stores)]) {
    const { fault, answering } = store;
    const isLost = (): boolean => Array.from({ length: ATTEMPTS.stores }, fails).every(Boolean);
    store.fault = async (call) => {
      await fault?.(call);
      if (isLost()) throw lost();
    };
    store.answering = async (call) => {
      await answering?.(call);
      if (isLost()) throw lost();
    };
  }
  return Object.assign(counted, {
    end: () => {
      isOver = true;
    },
  });
}
