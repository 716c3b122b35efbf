/**
 * What somebody who waits for an import is told, on one that takes 20 seconds: a slow web server, then conversion and hash. How many
 * bytes are really done is known from outside: what the server sent, and the segments that lie in the staging bucket.
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { halfCompressible, qemuImage } from '../support/disks.ts';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { type ImageClient, imageClient, objectsIn } from '../support/image-client.ts';
import { type SlowWebServer, slowWebServer } from '../support/slow-web-server.ts';

const MIB = 1024 ** 2;
const DISK_BYTES = 160 * MIB;
const SLICE_BYTES = 16 * MIB;
/** Steps report once a second; a busy machine and the question itself take their time, too. */
const AGE_MS = 2_500;

let dir: string;
let glimpse: Glimpse;
let web: SlowWebServer;
let fileBytes: number;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-progress-'));
  const raw = join(dir, 'disk.raw');
  await writeFile(raw, halfCompressible(DISK_BYTES));
  const { path } = await qemuImage(raw, join(dir, 'disk.qcow2'), 'qcow2');
  fileBytes = (await stat(path)).size;
  // Fast for 5 seconds, slower for 15.
  web = await slowWebServer(path, (share) => (share < 0.35 ? 12e6 : 7e6));
  glimpse = await startGlimpse();
  // A service that has worked before: its functions are loaded, and know how fast they are.
  const { image } = await imageClient(glimpse, 'demo').importFile(path);
  expect(image.status).toBe('active');
});

afterAll(async () => {
  web?.close();
  await glimpse?.stop();
  await rm(dir, { recursive: true, force: true });
});

interface Told {
  readonly percent: number;
  /** Once it can be believed. */
  readonly etaSeconds?: number;
}

const toldBy = (percent: number, etaSeconds: number | undefined): Told =>
  etaSeconds === undefined ? { percent } : { percent, etaSeconds };

/** What image and task said at a moment, and between how many percent were done at least and at most. */
interface Sight {
  readonly atMs: number;
  readonly told: Readonly<Record<string, Told | undefined>>;
  readonly least: number;
  readonly most: number;
}

it('percentage and time to the end hold on an import of 20 seconds', async () => {
  const images = imageClient(glimpse, 'demo');
  const { id } = await images.create({ name: 'watched' });
  const begunMs = performance.now();
  expect((await images.import(id, { method: { name: 'web-download', uri: web.url } })).status).toBe(202);
  const sights = await watch(images, id);
  const endMs = performance.now();

  expect((await images.show(id)).status).toBe('active');
  expect(endMs - begunMs).toBeGreaterThan(20_000);
  const percents = sights.flatMap(({ told }) => (told['image'] === undefined ? [] : [told['image'].percent]));
  expect(new Set(percents).size).toBeGreaterThanOrEqual(10);
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  expect(sights.flatMap((sight) => wrongPercent(sight, sights))).toEqual([]);
  const secondHalf = sights.filter(({ atMs }) => atMs > (begunMs + endMs) / 2);
  expect(secondHalf.length).toBeGreaterThan(10);
  expect(secondHalf.filter(({ told }) => told['image']?.etaSeconds !== undefined).length).toBeGreaterThan(10);
  expect(secondHalf.flatMap((sight) => wrongEta(sight, endMs))).toEqual([]);
});

async function watch(images: ImageClient, id: string): Promise<Sight[]> {
  const sights: Sight[] = [];
  for (;;) {
    const atMs = performance.now();
    const before = await bytesDone(id);
    const image = await images.show(id);
    const [task] = await images.tasks(id);
    const after = await bytesDone(id);
    if (image['os_glance_import_task'] === undefined && image.status === 'active') return sights;
    const percent = image['os_glance_import_percent'];
    const eta = image['os_glance_import_eta_seconds'];
    const { progress } = task as { progress?: { percent: number; eta_seconds?: number } };
    sights.push({
      atMs,
      told: {
        image: percent === undefined ? undefined : toldBy(Number(percent), eta === undefined ? undefined : Number(eta)),
        task: progress && toldBy(progress.percent, progress.eta_seconds),
      },
      least: share(before.sure),
      most: share(after.possible),
    });
    await sleep(250);
  }
}

/** Fetched and rendered bytes are seen; hashed ones are not, but begin when everything is rendered. */
async function bytesDone(id: string): Promise<{ sure: number; possible: number }> {
  const segments = [...(await objectsIn(glimpse, 'glimpse-staging', `images/${id}/`)).keys()];
  const rendered = segments.filter((key) => /\/s\/\d+$/.test(key)).length * SLICE_BYTES;
  const sure = web.sent() + rendered;
  return { sure, possible: rendered === DISK_BYTES ? sure + DISK_BYTES : sure };
}

const share = (bytes: number): number => (100 * bytes) / (fileBytes + 2 * DISK_BYTES);

function wrongPercent({ atMs, told, most }: Sight, sights: readonly Sight[]): string[] {
  const least = sights.findLast((sight) => sight.atMs <= atMs - AGE_MS)?.least ?? 0;
  return Object.entries(told).flatMap(([who, said]) =>
    said === undefined || (said.percent >= least - 10 && said.percent <= most + 10)
      ? []
      : [`${who} says ${said.percent} %, done are ${least.toFixed(1)} to ${most.toFixed(1)} %`],
  );
}

/** Within 30 %, or three seconds: it is told in whole seconds, once a second, by a machine that is busy with more than the import. */
function wrongEta({ atMs, told }: Sight, endMs: number): string[] {
  const left = (endMs - atMs) / 1000;
  return Object.entries(told).flatMap(([who, said]) =>
    said?.etaSeconds === undefined || Math.abs(said.etaSeconds - left) <= Math.max(3, 0.3 * left)
      ? []
      : [`${who} says ${said.etaSeconds} s, it took ${left.toFixed(1)} s`],
  );
}
