/** Imports while half of all calls to DynamoDB and S3 are throttled, for ten minutes: the time of the test is what the workflow waits. */
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { converted } from '../../support/converted.ts';
import { anImage } from '../../support/images.ts';
import { expectClean, expectImported } from '../../support/memory/import-ends.ts';
import { type ImportRig, importRig } from '../../support/memory/imports.ts';
import { throttleHalf } from '../../support/memory/throttled.ts';
import { rawDisk } from '../../support/raw-disk.ts';

const RAW = rawDisk(2 * 1024 * 1024);
const QCOW2 = await converted(RAW, { target: 'qcow2', compression: 'zlib' });
const URI = 'https://images.example.org/disk';
const WINDOW_MS = 10 * 60_000;
/** Milliseconds of the test that a call of a step takes, and the longest wait before another try (workflows/steps.ts). */
const CALL_MS = 500;
const LONGEST_WAIT_MS = 120_000;

interface Begun {
  readonly rig: ImportRig;
  readonly imageId: string;
  readonly taskId: string;
  readonly bytes: Uint8Array;
  readonly stores?: string[];
}

const staged = async (rig: ImportRig, bytes: Uint8Array, diskFormat: string) =>
  rig.staged(bytes, { diskFormat }, { hashed: false });

const METHODS: Readonly<Record<string, () => Promise<Begun>>> = {
  async 'glance-direct, packed, to three stores'() {
    const rig = importRig();
    const { id } = await staged(rig, RAW, 'raw');
    const stores = ['central', 'edge', 'abroad'];
    const taskId = await rig.task(await rig.image(id), { name: 'glance-direct' }, { stores });
    return { rig, imageId: id, taskId, bytes: RAW, stores };
  },
  async 'glance-direct, converted'() {
    const rig = importRig({
      image_import_plugins: ['image_conversion'],
      image_conversion: { output_format: 'raw' },
    });
    const { id } = await staged(rig, QCOW2, 'qcow2');
    const taskId = await rig.task(await rig.image(id), { name: 'glance-direct' });
    return { rig, imageId: id, taskId, bytes: RAW };
  },
  async 'web-download, compressed'() {
    const rig = importRig({ image_import_plugins: ['image_decompression'] });
    const image = anImage({ diskFormat: 'qcow2', containerFormat: 'bare' });
    await rig.deps.images.create(image);
    rig.web.set(URI, { body: gzipSync(QCOW2) });
    const taskId = await rig.task(image, { name: 'web-download', uri: URI });
    return { rig, imageId: image.id, taskId, bytes: QCOW2 };
  },
  async 'copy-image'() {
    const rig = importRig();
    const { id } = await staged(rig, RAW, 'raw');
    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));
    const taskId = await rig.task(await rig.image(id), { name: 'copy-image' }, { stores: ['edge', 'abroad'] });
    return { rig, imageId: id, taskId, bytes: RAW, stores: ['central', 'edge', 'abroad'] };
  },
  async 'a dropped file'() {
    const rig = importRig();
    const key = 'drop/p1/disk.qcow2';
    const etag = await rig.staging.putObject(key, QCOW2);
    const image = anImage({ diskFormat: 'qcow2', containerFormat: 'bare' });
    await rig.deps.images.create(image);
    const drop = { name: 'drop', bucket: 'staging', key, etag, size: QCOW2.length } as const;
    return { rig, imageId: image.id, taskId: await rig.task(image, drop), bytes: QCOW2 };
  },
};

const IMPORTS = Object.entries(METHODS).flatMap(([method, begin]) =>
  [1, 2, 3, 4].map((seed) => [`${method} (${seed})`, begin, seed] as const),
);

it.each(IMPORTS)('%s', async (_, begin, seed) => {
  const { rig, imageId, taskId, bytes, stores } = await begin();
  const { time } = rig.deps;
  const endMs = time.nowMs + WINDOW_MS;
  const { lost } = await underThrottling();

  expect(lost).toBeGreaterThan(0);
  await expectImported(rig, imageId, bytes, stores);
  expect(await rig.deps.tasks.get(taskId)).toMatchObject({ status: 'success' });
  expectClean(rig);

  async function underThrottling() {
    const counted = throttleHalf(rig, seed, () => time.nowMs < endMs);
    rig.around = (call, run) => {
      // Jitter: half of what a wait grows to.
      time.nowMs += CALL_MS + (call.attempt === 1 ? 0 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** call.attempt) / 2);
      return run();
    };
    expect(await rig.run(taskId)).toMatchObject({ status: 'SUCCEEDED' });
    time.nowMs = Math.max(time.nowMs, endMs);
    return counted;
  }
});
