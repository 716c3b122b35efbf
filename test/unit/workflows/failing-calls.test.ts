/** Imports while 5 % of all calls to stores and records fail, and while half of all invocations are throttled for ten minutes. */
import { describe, expect, it } from 'vitest';
import { type Played, play, type Scenario } from '../../support/faults/play.ts';
import { SCENARIOS } from '../../support/faults/scenarios.ts';
import type { Around } from '../../support/memory/execution.ts';
import { type FailedCalls, failCalls } from '../../support/memory/failing.ts';
import type { ImportRig } from '../../support/memory/imports.ts';
import { randomFrom } from '../../support/random.ts';

const SEED = Number(process.env['GLIMPSE_TEST_SEED'] ?? Date.now() % 1_000_000);
const EACH = 25;
const METHODS = [
  'glance-direct',
  'glance-direct, packed',
  'glance-direct, converted to raw',
  'glance-direct, converted to qcow2',
  'web-download',
  'glance-download',
  'web-download, unpacked and converted',
  'copy-image',
  'a dropped file',
];

const named = (name: string): Scenario => {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  return scenario;
};

/** The image, its bytes and where they are; tasks and writes may be others, where a request was asked twice. */
function ends({ end, violations }: Played): object {
  const images = end.images as readonly { status: string; checksum: string; locations: readonly { store: string }[] }[];
  return {
    violations,
    images: images.map(({ status, checksum, locations }) => ({
      ...{ status, checksum },
      stores: locations.map(({ store }) => store).toSorted(),
    })),
  };
}

/** The scenario, with a service that is made worse before anything is asked. */
const worse = (scenario: Scenario, make: (rig: ImportRig) => void): Scenario => ({
  ...scenario,
  asked: async (actor) => {
    make(actor.rig);
    await scenario.asked(actor);
  },
});

describe(`while 5 % of the calls fail (GLIMPSE_TEST_SEED=${SEED})`, () => {
  it.each(METHODS)(`${EACH} of ${EACH} end right: %s`, async (name) => {
    const expected = ends(await play(named(name)));
    const wrong: object[] = [];
    let failed = 0;
    for (let n = 0; n < EACH; n++) {
      let counted: FailedCalls | undefined;
      const scenario = worse(named(name), (rig) => {
        counted = failCalls(rig, 0.05, randomFrom(SEED + n));
      });
      // Whoever looks at the end has calls that work.
      const found = ends(await play({ ...scenario, rested: () => counted?.end() }));
      failed += counted?.failed ?? 0;
      if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push({ n, ...found });
    }

    expect(wrong).toEqual([]);
    expect(failed).toBeGreaterThan(EACH);
  });
});

const WINDOW_MS = 10 * 60_000;
const CALL_MS = 500;
const LONGEST_WAIT_MS = 120_000;

describe(`while half of all invocations are throttled (GLIMPSE_TEST_SEED=${SEED})`, () => {
  it.each(METHODS)('%s ends right', async (name) => {
    const expected = ends(await play(named(name)));
    for (let n = 0; n < 3; n++) {
      const random = randomFrom(SEED + n);
      let throttled = 0;
      const until = { ms: 0, now: () => 0, pass: (_: number): void => undefined };
      const scenario = worse(named(name), ({ deps: { time } }) => {
        until.ms = time.nowMs + WINDOW_MS;
        until.now = () => time.nowMs;
        until.pass = (ms) => {
          time.nowMs += ms;
        };
      });
      const around: Around = ({ attempt }, run) => {
        until.pass(CALL_MS + (attempt === 1 ? 0 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** attempt) / 2));
        if (until.now() >= until.ms || random() < 0.5) return run();
        throttled += 1;
        throw Object.assign(new Error('Rate Exceeded.'), { name: 'Lambda.TooManyRequestsException' });
      };

      expect(ends(await play(scenario, () => around))).toEqual(expected);
      expect(throttled).toBeGreaterThan(0);
    }
  });
});
