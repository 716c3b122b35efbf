/** True in so many of all cases, in the same order for the same seed. */
export type Chance = (rate: number) => boolean;

/** A seeded source of chance: mulberry32, good enough to spread failures and the same on every machine. */
export function chance(seed = 1): Chance {
  let state = seed >>> 0;
  return (rate) => {
    if (rate <= 0) return false;
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 < rate;
  };
}
