/** What a hundred images of one project, made at once, take of DynamoDB: nothing fails, and no key takes more than it serves. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createUsageRepository } from '../../aws/dynamodb/usage.ts';
import { countedImages } from '../../core/images/counted.ts';
import { createImage } from '../../core/images/create.ts';
import type { KeyReport } from '../../local/dynamodb/strict/meter.ts';
import { callerWith } from '../support/caller.ts';
import { memoryDeps } from '../support/memory/deps.ts';
import { startTable, type TestTable } from '../support/table.ts';

const COUNTING = { dynamodb: { readUnitsPerKey: Number.MAX_SAFE_INTEGER, writeUnitsPerKey: Number.MAX_SAFE_INTEGER } };
const PROCESSES = 4;
const IMAGES = 100;
const MOST_WRITE_UNITS = 1000;

let database: TestTable;
let keys: readonly KeyReport[];
beforeAll(async () => {
  database = await startTable(COUNTING);
  const limits = { image_size_total: -1, image_stage_total: -1, image_count_total: IMAGES, image_count_uploading: -1 };
  const shared = memoryDeps({ use_keystone_limits: true, registered_limits: limits }, { newId: () => randomUUID() });
  const processes = Array.from({ length: PROCESSES }, () => {
    const table = database.another();
    const usage = createUsageRepository(table, shared);
    const counter = { ...shared, imageList: createImageListing(table, { visibilityShards: 4 }), usage };
    const records = createImageRepository(table, { clock: shared.clock, visibilityShards: 4 });
    return { ...counter, images: countedImages(records, counter) };
  });
  const make = (n: number) =>
    createImage(processes[n % PROCESSES] ?? shared, callerWith({ projectId: 'demo' }), {
      properties: {},
      computed: [],
    });
  await make(0);
  database.meter?.reset();
  await Promise.all(Array.from({ length: IMAGES - 1 }, (_, n) => make(n)));
  keys = database.meter?.report() ?? [];
  await expect(make(0)).rejects.toMatchObject({ kind: 'LimitExceeded' });
});
afterAll(() => database.close());

it('each adds one small write to the counter, and none to an index', () => {
  const counter = keys.filter(({ key, writeUnits }) => key.includes('USAGE') && writeUnits > 0);

  expect(counter.map(({ index, key }) => ({ index, key }))).toEqual([{ index: undefined, key: 'USAGE#demo' }]);
  expect(counter[0]?.requests).toBe(IMAGES - 1);
  // Names of additions under way make an item of a kilobyte or two.
  expect(counter[0]?.writeUnits).toBeLessThanOrEqual(3 * IMAGES);
});

it('writes no key of the table more than it serves', () => {
  const over = keys.filter(({ index, writeUnits }) => index === undefined && writeUnits > MOST_WRITE_UNITS);

  expect(over).toEqual([]);
});
