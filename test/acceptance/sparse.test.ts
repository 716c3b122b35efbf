/** What a large disk with little in it costs: little, in every store, and nothing of it is lost. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { halfCompressible } from '../support/disks.ts';
import { type Glimpse, settled, startGlimpse } from '../support/glimpse.ts';
import { imageClient, objectsIn } from '../support/image-client.ts';

const run = promisify(execFile);
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const STORES = ['central', 'dcn0', 'dcn1'];

/** Where the data of a disk lies: all else is a hole. */
interface Extent {
  readonly offset: number;
  readonly bytes: Buffer;
}

let dir: string;
let glimpse: Glimpse;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-sparse-'));
  glimpse = await startGlimpse();
});

afterAll(async () => {
  await glimpse?.stop();
  await rm(dir, { recursive: true, force: true });
});

it('20 GiB with 200 MiB of data: at most 210 MiB in each of three stores, restored whole', async () => {
  const size = 20 * GIB;
  const extents = spread(size, 200, 25);
  const raw = await sparseFile('disk.raw', size, extents);
  const qcow2 = join(dir, 'disk.qcow2');
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2]);
  const table = await glimpse.client('demo', 'glance', [
    'image-create-via-import',
    ...['--import-method', 'glance-direct', '--stores', STORES.join(',')],
    ...['--disk-format', 'qcow2', '--container-format', 'bare', '--name', 'large', '--file', qcow2],
  ]);
  const id = /\| id +\| ([0-9a-f-]{36})/.exec(table)?.[1] ?? '';
  const image = await settled(glimpse, 'demo', id);

  expect(image).toMatchObject({ status: 'active', disk_format: 'raw', size, stores: STORES.join(',') });
  for (const store of STORES) {
    const stored = await storedBytes(store, id);
    expect(stored).toBeGreaterThanOrEqual(200 * MIB);
    expect(stored).toBeLessThanOrEqual(210 * MIB);
  }
  await expectRestored(id, size, extents);
  await expectRanges(id, size, extents);
});

it('1 GiB of raw with 20 MiB of data by PUT: packed while it streams, restored whole', async () => {
  const size = GIB;
  const extents = spread(size, 20, 5);
  const raw = await sparseFile('put.raw', size, extents);
  const images = imageClient(glimpse, 'demo');
  const { id } = await images.create({ disk_format: 'raw' });

  expect(await images.put(id, 'file', raw)).toBe(204);

  expect(await images.show(id)).toMatchObject({ status: 'active', size });
  expect(await storedBytes('central', id)).toBeLessThanOrEqual(21 * MIB);
  await expectRestored(id, size, extents);
  await expectRanges(id, size, extents);
});

/** `mib` of data in `count` pieces over the whole disk, the last one at its very end; none begins where a slice does. */
function spread(size: number, mib: number, count: number): Extent[] {
  const bytes = halfCompressible((mib / count) * MIB);
  const stride = Math.floor(size / count / MIB) * MIB;
  return Array.from({ length: count }, (_, n) => {
    const own = Buffer.from(bytes);
    own.writeUInt32LE(n + 1, 0);
    return { offset: n === count - 1 ? size - own.length : n * stride + 3 * MIB, bytes: own };
  });
}

async function sparseFile(name: string, size: number, extents: readonly Extent[]): Promise<string> {
  const path = join(dir, name);
  const file = await open(path, 'w');
  await file.truncate(size);
  for (const { offset, bytes } of extents) await file.write(bytes, 0, bytes.length, offset);
  await file.close();
  return path;
}

async function storedBytes(store: string, id: string): Promise<number> {
  const objects = await objectsIn(glimpse, `glimpse-store-${store}`, `images/${id}/`);
  return [...objects.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Every byte of the download is compared as it comes; nothing is kept. */
async function expectRestored(id: string, size: number, extents: readonly Extent[]): Promise<void> {
  const headers = { 'x-auth-token': await glimpse.token('demo') };
  const request = get(`${glimpse.url}/v2/images/${id}/file`, { headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  let at = 0;
  let wrong: number | undefined;
  response.on('data', (chunk: Buffer) => {
    if (!chunk.equals(expectedAt(at, chunk.length, extents))) wrong ??= at;
    at += chunk.length;
  });
  await once(response, 'end');
  expect({ length: at, wrong }).toEqual({ length: size, wrong: undefined });
}

const ZEROS = Buffer.alloc(4 * MIB);

function expectedAt(offset: number, length: number, extents: readonly Extent[]): Buffer {
  const end = offset + length;
  const within = extents.filter((extent) => extent.offset < end && extent.offset + extent.bytes.length > offset);
  if (within.length === 0 && length <= ZEROS.length) return ZEROS.subarray(0, length);
  const expected = Buffer.alloc(length);
  for (const { offset: start, bytes } of within) {
    const from = Math.max(offset, start);
    bytes.copy(expected, from - offset, from - start, Math.min(end, start + bytes.length) - start);
  }
  return expected;
}

/** From data into a hole, from a hole into data, a whole hole with data on both sides, the end. */
async function expectRanges(id: string, size: number, extents: readonly Extent[]): Promise<void> {
  const [first, second] = extents;
  if (first === undefined || second === undefined)
    throw new Error('a disk with less than two extents has no hole to cross');
  const holeStart = first.offset + first.bytes.length;
  const ranges = [
    [holeStart - 1000, holeStart + 70_000],
    [second.offset - 70_000, second.offset + 1000],
    [holeStart + 1, holeStart + 1],
    [size - 10_000, size - 1],
    [second.offset - 40 * MIB, second.offset + 100_000],
  ] as const;
  for (const [start, last] of ranges) {
    const response = await glimpse.api('demo', 'GET', `/v2/images/${id}/file`, {
      headers: { range: `bytes=${start}-${last}` },
    });
    expect(response.status).toBe(206);
    const found = Buffer.from(await response.arrayBuffer());
    expect(sha256(found)).toBe(sha256(expectedAt(start, last - start + 1, extents)));
  }
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
