import { describe, expect, test } from 'vitest';
import { createLookUps, type LookUpCounts, type LookUps } from '../../../../core/identity/look-ups.ts';
import { createImage } from '../../../../core/images/create.ts';
import { patchImage } from '../../../../core/images/patch.ts';
import { callerWith } from '../../../support/caller.ts';
import { lookUpCountsSuite } from '../../../support/conformance/look-up-counts.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';
import { memoryLookUpCounts } from '../../../support/memory/look-up-counts.ts';

const BURST = 60;
const TOO_MANY = { kind: 'TooManyRequests', retryAfterSeconds: 1 };

test('each project has so many look-ups at once, and one more each second', async () => {
  let nowMs = 0;
  const lookUps = createLookUps({ now: () => nowMs }, memoryLookUpCounts());
  for (let n = 0; n < BURST; n++) await lookUps.spend('p');

  await expect(lookUps.spend('p')).rejects.toMatchObject(TOO_MANY);
  await expect(lookUps.spend('q')).resolves.toBeUndefined();
  nowMs = 1000;
  await expect(lookUps.spend('p')).resolves.toBeUndefined();
  await expect(lookUps.spend('p')).rejects.toMatchObject(TOO_MANY);
});

describe('of what failed, all processes together let through what one does in a minute', () => {
  /** Each with a bucket of its own; `reads` counts what is asked of the table. */
  function processes(count: number) {
    const clock = { nowMs: 30_000 };
    const shared = memoryLookUpCounts();
    const asked = { reads: 0 };
    const counts: LookUpCounts = {
      ...shared,
      of: (key) => {
        asked.reads++;
        return shared.of(key);
      },
    };
    const all = Array.from({ length: count }, () => createLookUps({ now: () => clock.nowMs }, counts));
    return { all, clock, asked };
  }
  const LET_THROUGH = 2 * BURST;
  /** Questions that were answered, with a no. */
  const guess = async (lookUps: LookUps, project: string): Promise<number> => {
    try {
      await lookUps.spend(project);
      await lookUps.fail(project);
      return 1;
    } catch (error) {
      expect(error).toMatchObject({ kind: 'TooManyRequests' });
      return 0;
    }
  };

  test('one after another, and at once', async () => {
    const { all, clock } = processes(10);

    let learned = 0;
    for (const lookUps of all) for (let n = 0; n < BURST; n++) learned += await guess(lookUps, 'p');
    const atOnce = await Promise.all(all.flatMap((one) => Array.from({ length: BURST }, () => guess(one, 'q'))));
    const ofQ = atOnce.reduce((sum, one) => sum + one, 0);

    expect([learned, ofQ]).toEqual([LET_THROUGH, LET_THROUGH]);
    clock.nowMs = 59_999;
    await expect(all[9]?.spend('p')).rejects.toMatchObject({ kind: 'TooManyRequests', retryAfterSeconds: 1 });
    await expect(all[9]?.spend('other')).resolves.toBeUndefined();
    clock.nowMs = 60_000;
    await expect(all[9]?.spend('p')).resolves.toBeUndefined();
  });

  test('a process that knows asks the table no more until the minute is over', async () => {
    const { all, clock, asked } = processes(3);
    for (const lookUps of all) for (let n = 0; n < BURST; n++) await guess(lookUps, 'p');
    asked.reads = 0;

    clock.nowMs = 55_000;
    for (let n = 0; n < 20; n++) expect(await guess(all[2] as LookUps, 'p')).toBe(0);

    expect(asked.reads).toBe(0);
  });

  test('those that were answered well count for nobody', async () => {
    const { all } = processes(2);
    for (let n = 0; n < 10 * BURST; n++) {
      await all[n % 2]?.spend('p');
      all[n % 2]?.giveBack('p');
    }

    await expect(all[0]?.spend('p')).resolves.toBeUndefined();
  });
});

lookUpCountsSuite(async () => ({ counts: memoryLookUpCounts(), close: async () => undefined }));

test('owners that an administrator writes are looked up so often, whether made or given; its own project is not', async () => {
  const asked: (string | null)[] = [];
  const unlimited = { image_size_total: -1, image_stage_total: -1, image_count_total: -1, image_count_uploading: -1 };
  const limits = {
    async of(project: string | null) {
      asked.push(project);
      return unlimited;
    },
  };
  const deps = memoryDeps(
    { use_keystone_limits: true, identity: { mode: 'keystone' }, oslo_limit: { endpoint_id: 'e' } },
    { limits },
  );
  const admin = callerWith({ projectId: 'admin', roles: ['admin'], isAdmin: true });
  const make = (owner: string) => createImage(deps, admin, { owner, properties: {}, computed: [] });
  const own = await make('admin');
  for (let n = 1; n < BURST; n++) await make(`p${n}`);
  const give = (owner: string) =>
    patchImage(deps, admin, own.id, [
      { kind: 'base', op: 'replace', strict: true, name: 'owner', attribute: 'owner', value: owner },
    ]);
  await give('p0');

  asked.length = 0;
  await expect(make('one-more')).rejects.toMatchObject(TOO_MANY);
  await expect(give('one-more')).rejects.toMatchObject(TOO_MANY);
  expect(asked).toEqual([]);
  await expect(make('admin')).resolves.toMatchObject({ owner: 'admin' });
});
