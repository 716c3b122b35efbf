/**
 * An import of as many batches as there can be, whole: the workflow as deployed, the table as strict as DynamoDB, stores in memory. Time
 * is the test's, also for who counts units: two hundred workers need a second for a batch each, the fastest they are on AWS, however
 * long this machine needs.
 */
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDutyRepository } from '../../aws/dynamodb/duties.ts';
import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createTaskRepository } from '../../aws/dynamodb/tasks.ts';
import { createUsageRepository } from '../../aws/dynamodb/usage.ts';
import { putJson } from '../../bytes/json-object.ts';
import { mapKey, planKey, segmentKey, stagedPrefix } from '../../bytes/keys.ts';
import { readPlan } from '../../bytes/render/import-plan.ts';
import type { Image } from '../../core/images/image.ts';
import { memorySource } from '../../formats/engine/source.ts';
import {
  BITMAP_BYTES,
  BLOCK_BYTES,
  SLICE_BYTES,
  setBlock,
  storedGeometry,
} from '../../formats/engine/sparse/geometry.ts';
import { SparseMap } from '../../formats/engine/sparse/map.ts';
import { inspect } from '../../formats/inspect.ts';
import { openImage } from '../../formats/registry.ts';
import type { KeyReport } from '../../local/dynamodb/strict/meter.ts';
import type { StrictOptions } from '../../local/dynamodb/strict/operations.ts';
import { anImage } from '../support/images.ts';
import type { Execution } from '../support/memory/execution.ts';
import { expectClean } from '../support/memory/import-ends.ts';
import { type ImportRig, importRig } from '../support/memory/imports.ts';
import { startTable, type TestTable } from '../support/table.ts';

const BATCHES = 1000;
const SLICE = 1024 * 1024;
const WORKERS = 200;
/** A worker's batch: 128 MiB at a gigabit and more a second. */
const BATCH_MS = 1000;
/** Of one key in one second: DynamoDB Developer Guide, "Best practices for designing and using partition keys effectively". */
const MOST = { read: 3000, write: 1000 };
/** As large as an image with its properties may be read a thousand times over: five units each. */
const PROPERTIES = { description: 'x'.repeat(18 * 1024) };
/** Steps that run at once on this machine, each with the memory of a slice. */
const SEATS = 8;
const LONG_MS = 120_000;

interface Played {
  readonly rig: ImportRig;
  readonly database: TestTable;
  readonly imageId: string;
  readonly taskId: string;
  readonly execution: Execution;
  /** Until all was done but the cleaning. */
  readonly keys: readonly KeyReport[];
}

/** Lets so many run at once; the others wait for their turn. */
function seats(count: number): <T>(run: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (run) => {
    if (free === 0) await new Promise<void>((resolve) => void waiting.push(resolve));
    else free -= 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** Plays the import of a disk that has a block of data in every MiB, packed as an upload leaves it, to a compressed qcow2. */
async function play(hard: StrictOptions): Promise<Played> {
  const rig = importRig({
    image_import_plugins: ['image_conversion'],
    image_conversion: { output_format: 'qcow2', compression: 'zlib' },
  });
  const { time, clock } = rig.deps;
  const database = await startTable({ dynamodb: { ...hard, nowMs: clock.now } });
  const { table } = database;
  Object.assign(rig.deps, {
    images: createImageRepository(table, { clock, visibilityShards: 8 }),
    imageList: createImageListing(table, { visibilityShards: 8 }),
    tasks: createTaskRepository(table, clock),
    duties: createDutyRepository(table),
    usage: createUsageRepository(table, { clock }),
  });
  const image = await stagedDisk(rig);
  const taskId = await rig.task(image, { name: 'glance-direct' });
  const places = seats(SEATS);
  let working: readonly KeyReport[] = [];
  rig.around = async ({ step }, run) => {
    if (step === 'clean') return cleanAsTimePasses(run);
    const answer = await places(() => {
      // Workers beside each other: each has its whole second.
      time.nowMs += step === 'render' ? BATCH_MS / WORKERS : BATCH_MS;
      return run();
    });
    return step === 'plan' ? inSmallSlices(rig, taskId) : answer;
  };
  /** What removes the records of all batches goes by what the table refuses, and waits. */
  const cleanAsTimePasses = async (run: () => Promise<unknown>): Promise<unknown> => {
    working = database.meter?.report() ?? [];
    time.nowMs += BATCH_MS;
    const passing = setInterval(() => {
      time.nowMs += 10;
    }, 10);
    return run().finally(() => clearInterval(passing));
  };
  const execution = await rig.run(taskId);
  return { rig, database, imageId: image.id, taskId, execution, keys: working };
}

const BLOCK = Buffer.from('a block of data '.repeat(BLOCK_BYTES / 16));

async function stagedDisk({ deps, staging }: ImportRig): Promise<Image> {
  const geometry = storedGeometry(BATCHES * SLICE);
  const image = anImage({
    ...{ diskFormat: 'raw', containerFormat: 'bare', status: 'uploading', properties: PROPERTIES },
    staged: { writeId: 'stage', layout: 'sparse', size: geometry.virtualSize },
  });
  const prefix = stagedPrefix(image.id, 'stage');
  const map = SparseMap.empty(geometry);
  for (let n = 0; n < map.sliceCount; n++) {
    const bitmap = new Uint8Array(BITMAP_BYTES);
    const blocks = Math.min(SLICE_BYTES, geometry.virtualSize - n * SLICE_BYTES) / SLICE;
    for (let at = 0; at < blocks; at++) setBlock(bitmap, (at * SLICE) / BLOCK_BYTES);
    const segment = Buffer.concat(Array.from({ length: blocks }, () => BLOCK));
    map.set(n, { bitmap, segmentLength: segment.length, crc32: crc32(segment) });
    await staging.putObject(segmentKey(prefix, n), segment);
  }
  await staging.putObject(mapKey(prefix), map.encode());
  await deps.images.create(image);
  return image;
}

/** The plan's disk in slices of 1 MiB, each a batch of its own: what a disk of 125 GiB has, too much to be played here. */
async function inSmallSlices({ deps: { places } }: ImportRig, taskId: string): Promise<{ batches: number[] }> {
  const plan = await readPlan(places, taskId);
  const conversion = { ...plan.conversion, sliceSize: SLICE, sliceCount: BATCHES };
  await putJson(places.staging, planKey(taskId), { ...plan, runs: [[0, BATCHES]], slicesPerBatch: 1, conversion });
  return { batches: Array.from({ length: BATCHES }, (_, n) => n) };
}

/** Besides its limits: what any table does now and then. */
const HARD: StrictOptions = { throttleRate: 0.01, unprocessedRate: 0.2 };

let played: Played;
beforeAll(async () => {
  played = await play(HARD);
}, LONG_MS);
afterAll(() => played?.database.close());

describe('an import of a thousand batches over a table that serves each key what a partition serves', () => {
  it('renders every batch, and ends well', async () => {
    const { execution, rig, taskId } = played;
    const rendered = execution.steps.filter((step) => step === 'render').length;

    expect(execution.status).toBe('SUCCEEDED');
    expect(rendered).toBeGreaterThanOrEqual(BATCHES);
    expect(await rig.deps.tasks.get(taskId)).toMatchObject({ status: 'success' });
  });

  it('makes the image active, with the bytes of all batches', async () => {
    const { rig, imageId } = played;
    const image = await rig.image(imageId);
    expect(image).toMatchObject({
      ...{ status: 'active', diskFormat: 'qcow2', virtualSize: BATCHES * SLICE },
      ...{ lock: null, staged: null, progress: null, properties: PROPERTIES },
    });
    const [location] = image.locations;
    const file = location === undefined ? Buffer.alloc(0) : await rig.read(image, location);
    expect(await inspect(memorySource(file))).toMatchObject({ format: 'qcow2', verdict: 'accept' });
    const disk = await openImage(memorySource(file), 'qcow2');
    const found = Buffer.alloc(2 * BLOCK_BYTES);
    for (const n of [0, 1, BATCHES / 2, BATCHES - 1]) {
      await disk.readInto(n * SLICE, found);
      expect(found.equals(Buffer.concat([BLOCK, Buffer.alloc(BLOCK_BYTES)]))).toBe(true);
    }
  });

  it('takes of no key more than it serves, and is refused nothing for it', () => {
    const over = played.keys.filter(
      ({ peakReadUnits, peakWriteUnits, throttled }) =>
        peakReadUnits > MOST.read || peakWriteUnits > MOST.write || throttled > 0,
    );
    expect(over).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    const { rig, taskId } = played;
    const far = rig.deps.clock.now() + 24 * 60 * 60_000;

    expect(await rig.deps.tasks.batches(taskId)).toEqual([]);
    expect(await rig.deps.tasks.listLive(10)).toEqual([]);
    expect((await rig.deps.duties.due(far, 100)).filter(({ kind }) => kind !== 'retired')).toEqual([]);
    expectClean(rig);
  });
});
