/** What a client can rely on while an import runs, whatever its phases and their pace. */
import { expect, it } from 'vitest';
import { type Played, type PlayedStage, playImport } from '../../../../support/import-play.ts';

const steady = (rate: number) => () => rate;

const PLAYS: Readonly<Record<string, readonly PlayedStage[]>> = {
  'a download that takes nearly all the time': [
    { work: { fetch: 160, render: 160, hash: 512 }, phases: [{ phase: 'fetch', mib: 160, rate: steady(8) }] },
    { phases: [{ phase: 'render', mib: 160, rate: steady(120), piece: 16, batch: 128 }] },
    { phases: [{ phase: 'hash', mib: 512, rate: steady(400) }] },
  ],
  'a server that slows down to a third': [
    {
      work: { fetch: 200, render: 208, hash: 256 },
      phases: [{ phase: 'fetch', mib: 200, rate: (share) => (share < 0.5 ? 15 : 5) }],
    },
    { phases: [{ phase: 'render', mib: 208, rate: steady(200), piece: 16, batch: 128 }] },
    { phases: [{ phase: 'hash', mib: 256, rate: steady(300) }] },
  ],
  'an image larger than was announced': [
    { work: { fetch: 300, render: 300, hash: 400 }, phases: [{ phase: 'fetch', mib: 300, rate: steady(14) }] },
    {
      work: { fetch: 300, render: 368, hash: 440 },
      phases: [{ phase: 'render', mib: 368, rate: steady(200), piece: 16, batch: 128 }],
    },
    { phases: [{ phase: 'hash', mib: 440, rate: steady(300) }] },
  ],
  'a server that gets faster': [
    {
      work: { fetch: 400, render: 400, hash: 400 },
      phases: [{ phase: 'fetch', mib: 400, rate: (share) => (share < 0.15 ? 8 : 18) }],
    },
    { phases: [{ phase: 'render', mib: 400, rate: steady(200), piece: 16, batch: 128 }] },
    { phases: [{ phase: 'hash', mib: 400, rate: steady(300) }] },
  ],
  'a compressed image, converted and hashed': [
    {
      work: { render: 1600, hash: 4096 },
      phases: [{ phase: 'render', mib: 1600, rate: steady(130), piece: 16, batch: 128 }],
    },
    { phases: [{ phase: 'hash', mib: 4096, rate: steady(300) }] },
  ],
  'a hole much larger than the data, hashed faster than that': [
    {
      work: { render: 512, hash: 20_480 },
      phases: [{ phase: 'render', mib: 512, rate: steady(150), piece: 16, batch: 128 }],
    },
    { phases: [{ phase: 'hash', mib: 20_480, rate: (share) => (share < 0.1 ? 300 : 500), piece: 32 }] },
  ],
  'a store that is slower than the hash': [
    {
      work: { render: 512, hash: 1024, 'copy:edge': 1024 },
      phases: [{ phase: 'render', mib: 512, rate: steady(150), piece: 16, batch: 128 }],
    },
    {
      phases: [
        { phase: 'hash', mib: 1024, rate: steady(60) },
        { phase: 'copy:edge', mib: 1024, rate: steady(40), piece: 16 },
      ],
    },
  ],
  'a copy to two stores, one of them slow': [
    {
      work: { 'copy:edge': 600, 'copy:near': 600 },
      phases: [
        { phase: 'copy:edge', mib: 600, rate: (share) => (share < 0.4 ? 25 : 18), piece: 16 },
        { phase: 'copy:near', mib: 600, rate: steady(200), piece: 16 },
      ],
    },
  ],
};

/** Whose pace nobody could know. */
const OTHER_MACHINES: Readonly<Record<string, readonly PlayedStage[]>> = {
  'a slow machine': [
    {
      work: { render: 1200, hash: 1200 },
      phases: [{ phase: 'render', mib: 1200, rate: steady(60), piece: 16, batch: 128 }],
    },
    { phases: [{ phase: 'hash', mib: 1200, rate: steady(80) }] },
  ],
  'a fast one': [
    {
      work: { render: 8000, hash: 20_000 },
      phases: [{ phase: 'render', mib: 8000, rate: steady(800), piece: 16, batch: 128 }],
    },
    { phases: [{ phase: 'hash', mib: 20_000, rate: steady(1000) }] },
  ],
};

it.each(Object.entries(PLAYS))('%s', async (_name, stages) => {
  const played = await playImport(stages);

  expect(durationOf(played)).toBeGreaterThanOrEqual(20);
  expect([...percentFaults(played), ...etaFaults(played)]).toEqual([]);
});

it.each(Object.entries(OTHER_MACHINES))('%s, once it has imported before', async (_name, stages) => {
  const first = await playImport(stages);
  const second = await playImport(stages, first.rates);

  expect(percentFaults(first)).toEqual([]);
  expect([...percentFaults(second), ...etaFaults(second)]).toEqual([]);
});

const begunMs = ({ sights }: Played): number => sights[0]?.atMs ?? 0;
const durationOf = (played: Played): number => (played.endMs - begunMs(played)) / 1000;

/** Steps report once a second: what is shown may be that old, and a moment. */
const AGE_MS = 1_250;

function percentFaults(played: Played): string[] {
  const { sights } = played;
  const shown = sights.flatMap(({ image }) => (image === null ? [] : [image.percent]));
  const found: string[] = [];
  if (new Set(shown).size < 10) found.push(`only ${new Set(shown).size} distinct values`);
  if (shown.some((value, n) => value < (shown[n - 1] ?? 0))) found.push('a percentage falls');
  for (const { atMs, truth, image, task } of sights) {
    const before = sights.findLast((sight) => sight.atMs <= atMs - AGE_MS)?.truth ?? 0;
    for (const [who, { percent }] of Object.entries({ image, task }).flatMap(([who, p]) =>
      p === null ? [] : [[who, p] as const],
    ))
      if (percent < before - 10 || percent > truth + 10)
        found.push(`${(atMs - begunMs(played)) / 1000} s: ${who} shows ${percent} %, done are ${before} to ${truth} %`);
  }
  return found;
}

/**
 * In the second half, whoever asks learns the end within 30 %, or two seconds: it is told in whole seconds, once a second. It is told at
 * last in the last third, and from the first time on to the end.
 */
function etaFaults(played: Played): string[] {
  const late = played.sights.filter(({ atMs }) => atMs - begunMs(played) >= 500 * durationOf(played));
  const first = played.sights.findIndex(({ image }) => image?.etaSeconds !== undefined);
  const firstMs = played.sights[first]?.atMs ?? played.endMs;
  const isLate = firstMs - begunMs(played) > (2 / 3) * 1000 * durationOf(played);
  const gaps = played.sights.slice(first).filter(({ image }) => image?.etaSeconds === undefined);
  const wrong = late.flatMap(({ atMs, image, task }) => {
    const left = (played.endMs - atMs) / 1000;
    return Object.entries({ image, task }).flatMap(([who, shown]) =>
      shown?.etaSeconds === undefined || Math.abs(shown.etaSeconds - left) <= Math.max(2, 0.3 * left)
        ? []
        : [`${who} says ${shown.etaSeconds} s, it took ${left} s`],
    );
  });
  return [
    ...(isLate ? [`told ${(firstMs - begunMs(played)) / 1000} s after the beginning`] : []),
    ...gaps.map(({ atMs }) => `not told after ${(atMs - begunMs(played)) / 1000} s`),
    ...wrong,
  ];
}
