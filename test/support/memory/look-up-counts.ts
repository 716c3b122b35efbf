import type { LookUpCounts } from '../../../core/identity/look-ups.ts';

export function memoryLookUpCounts(): LookUpCounts {
  const counts = new Map<string, number>();
  const of = (key: string) => counts.get(key) ?? 0;
  return {
    of: async (key) => of(key),
    async add(key, most) {
      if (of(key) >= most) return false;
      counts.set(key, of(key) + 1);
      return true;
    },
  };
}
