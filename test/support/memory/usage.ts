import type { Clock } from '../../../core/clock.ts';
import { overrun } from '../../../core/quota/ceilings.ts';
import { type CountedUsage, plus, type UsageRepository } from '../../../core/quota/usage.ts';
import { Records } from './records.ts';

export function memoryUsage(clock: Clock): UsageRepository {
  const counters = new Records<CountedUsage>();
  return {
    async add(project, amount, ceilings) {
      const counter = counters.get(project);
      if (counter === undefined) return 'unknown';
      if (ceilings !== undefined && overrun(ceilings, counter.usage, amount) !== undefined) return 'over';
      counters.set(project, {
        ...counter,
        usage: plus(counter.usage, amount),
        ceilings: ceilings ?? counter.ceilings,
        touchedAtMs: clock.now(),
        isTouched: true,
      });
      return 'added';
    },

    of: async (project) => counters.get(project),

    async reset(project, usage, touchedBeforeMs) {
      const counter = counters.get(project);
      if (counter !== undefined && counter.touchedAtMs >= touchedBeforeMs) return;
      const nowMs = clock.now();
      counters.set(project, {
        usage,
        ceilings: counter?.ceilings,
        countedAtMs: nowMs,
        touchedAtMs: nowMs,
        isTouched: false,
      });
    },

    projects: async () => counters.entries().map(([project]) => project),
  };
}
