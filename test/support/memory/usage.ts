import type { Clock } from '../../../core/clock.ts';
import type { UsageRepository } from '../../../core/quota/usage.ts';
import { Records } from './records.ts';

export function memoryUsage(clock: Clock): UsageRepository {
  const counters = new Records<{ readonly images: number; readonly touchedAtMs: number }>();
  return {
    async add(project, amount, limit) {
      const counter = counters.get(project);
      if (counter === undefined) return 'unknown';
      const images = counter.images + amount;
      if (limit !== undefined && images > limit) return 'over';
      counters.set(project, { images, touchedAtMs: clock.now() });
      return 'added';
    },

    count: async (project) => counters.get(project)?.images ?? 0,

    async reset(project, images, touchedBeforeMs) {
      const counter = counters.get(project);
      if (counter !== undefined && counter.touchedAtMs >= touchedBeforeMs) return;
      counters.set(project, { images, touchedAtMs: clock.now() });
    },

    projects: async () => counters.entries().map(([project]) => project),
  };
}
