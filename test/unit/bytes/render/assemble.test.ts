/** What of a large target passes through the memory of the step that assembles it, and what the store copies by itself. */
import { expect, it, test } from 'vitest';
import { type Assembly, planParts } from '../../../../formats/convert/assembly.ts';
import { halfCompressible } from '../../../support/disks.ts';
import { expectClean } from '../../../support/memory/import-ends.ts';
import { importRig } from '../../../support/memory/imports.ts';
import { rawDisk } from '../../../support/raw-disk.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MIN = 5 * MIB;

const CLUSTER = 64 * KIB;

/** So many slices with a packed and a plain body each, the plain one at a cluster's border. */
function sliced(count: number, body: { readonly packed: number; readonly plain: number }): Assembly {
  const column = (at: (slice: number) => number) => Float64Array.from({ length: count }, (_, slice) => at(slice));
  const border = Math.ceil(body.packed / CLUSTER) * CLUSTER;
  const stride = border + Math.ceil(body.plain / CLUSTER) * CLUSTER;
  const slices = {
    plainLength: column(() => body.plain),
    packedLength: column(() => body.packed),
    packedOffset: column((slice) => CLUSTER + slice * stride),
    plainOffset: column((slice) => CLUSTER + slice * stride + border),
    end: CLUSTER + (count - 1) * stride + (body.plain > 0 ? border + body.plain : body.packed),
  };
  const size = slices.end + MIB;
  return { size, headLength: CLUSTER, tailLength: MIB, head: () => [], tail: () => [], slices };
}

/** A target of 80 GiB: of each slice a packed body of 7 MiB, and a plain one of 4 MiB. */
const large = (): Assembly => sliced(Math.floor((80 * GIB) / (11 * MIB)), { packed: 7 * MIB - 100, plain: 4 * MIB });

test('of 80 GiB at most two thirds pass through memory, in parts that a store takes', () => {
  const assembly = large();
  const parts = planParts(assembly, MIN);

  const copied = parts.filter(({ copy }) => copy).reduce((sum, { length }) => sum + length, 0);
  expect(1 - copied / assembly.size).toBeLessThan(0.67);
  expect(parts.slice(0, -1).every(({ length }) => length >= MIN)).toBe(true);
  expect(Math.max(...parts.filter(({ copy }) => !copy).map(({ length }) => length))).toBeLessThan(3 * MIN);
  let at = 0;
  for (const { offset, length, regions } of parts) {
    expect([offset, regions.reduce((sum, region) => sum + region.length, 0)]).toEqual([at, length]);
    at += length;
  }
  expect(at).toBe(assembly.size);
});

/** What docs/operations/capacity.md says of a disk of 80 GiB all of which is data: 5,120 slices of 16 MiB. */
test.each([
  ['that compresses to a third', { packed: 5 * MIB - 1, plain: 0 }, 25 * GIB],
  ['at worst: neither body of a slice is large enough', { packed: 5 * MIB - 1, plain: 5 * MIB - CLUSTER }, 50 * GIB],
  ['that compresses less', { packed: 15 * MIB, plain: 0 }, 0],
])('of 80 GiB %s no more pass through memory', (_, body, most) => {
  const moved = planParts(sliced(5_120, body), MIN).filter(({ copy }) => !copy);

  const bytes = moved.reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeLessThanOrEqual(most + 2 * MIN);
  expect(bytes).toBeGreaterThan(most * 0.98);
  expect(Math.max(...moved.map(({ length }) => length))).toBeLessThan(3 * MIN);
});

it('copies what is large enough inside the store, in groups where there are more parts than one object may have', async () => {
  const rig = importRig({
    image_import_plugins: ['image_conversion'],
    image_conversion: { output_format: 'qcow2', compression: 'zlib' },
  });
  Object.assign(rig.staging.abilities, { minPartBytes: 64 * KIB, maxParts: 6 });
  const bytes = { put: 0, copied: 0 };
  const { multipart } = rig.staging;
  rig.staging.multipart = (key, signal) => {
    const upload = multipart.call(rig.staging, key, signal);
    const { putPart, copyPart } = upload;
    upload.putPart = async (n, body) => {
      bytes.put += body.length;
      await putPart.call(upload, n, body);
    };
    upload.copyPart = async (n, from, start, end) => {
      if (key.includes('/g/')) bytes.copied += end - start;
      await copyPart.call(upload, n, from, start, end);
    };
    return upload;
  };
  const raw = rawDisk(160 * MIB);
  const image = await rig.staged(raw, { diskFormat: 'raw' }, { hashed: false });
  bytes.put = 0;

  expect(await rig.run(await rig.task(image, { name: 'glance-direct' }))).toMatchObject({ status: 'SUCCEEDED' });

  const { size, diskFormat, locations } = await rig.image(image.id);
  expect({ diskFormat, locations: locations.length }).toEqual({ diskFormat: 'qcow2', locations: 1 });
  expect(bytes.put + bytes.copied).toBe(size);
  expect(bytes.copied).toBeGreaterThan((size ?? 0) / 2);
  expectClean(rig);
});

/** Bodies around the size that a store takes for a part, and copies a range from: each result is put together all the same. */
test.each([
  [1, 0],
  [MIN - 1, 0],
  [MIN, 0],
  [MIN + 1, 0],
  [MIN - 1, MIN - 1],
  [MIN, MIN],
  [MIN + 1, MIN - 1],
  [2 * MIN - 1, MIN],
  [2 * MIN, 1],
  [16 * MIB, 16 * MIB],
])('slices with a packed body of %i bytes and a plain one of %i', (packed, plain) => {
  const assembly = sliced(9, { packed, plain });
  const parts = planParts(assembly, MIN);

  expect(parts.slice(0, -1).filter(({ length }) => length < MIN)).toEqual([]);
  expect(parts.reduce((sum, { length }) => sum + length, 0)).toBe(assembly.size);
  for (const { copy, regions } of parts) {
    if (!copy) continue;
    const [region] = regions;
    const body = region?.kind === 'plain' ? plain : packed;
    // Of a body that is not larger than the smallest part all is copied, and no range named.
    expect((region?.skip ?? 0) === 0 || body > MIN).toBe(true);
    expect((region?.skip ?? 0) + (region?.length ?? 0)).toBe(body);
  }
});

it('the last of several groups may be smaller than a part: it is copied whole', async () => {
  const settings = {
    image_import_plugins: ['image_conversion'],
    image_conversion: { output_format: 'qcow2', compression: 'zlib' },
  };
  const raw = halfCompressible(48 * MIB);
  /** Lengths of the parts of each upload of the result. */
  const converted = async (maxParts: number): Promise<number[][]> => {
    const rig = importRig(settings);
    const image = await rig.staged(raw, { diskFormat: 'raw' }, { hashed: false });
    // The tables at the end are less than a part.
    Object.assign(rig.staging.abilities, { minPartBytes: MIB, maxParts });
    const uploads: number[][] = [];
    const { multipart } = rig.staging;
    rig.staging.multipart = (key, signal) => {
      const upload = multipart.call(rig.staging, key, signal);
      const { putPart, copyPart } = upload;
      const lengths: number[] = [];
      uploads.push(lengths);
      upload.putPart = async (n, body) => {
        lengths[n] = body.length;
        await putPart.call(upload, n, body);
      };
      upload.copyPart = async (n, from, start, end) => {
        lengths[n] = end - start;
        await copyPart.call(upload, n, from, start, end);
      };
      return upload;
    };
    expect(await rig.run(await rig.task(image, { name: 'glance-direct' }))).toMatchObject({ status: 'SUCCEEDED' });
    expect((await rig.image(image.id)).diskFormat).toBe('qcow2');
    return uploads;
  };
  const most = (uploads: number[][]): number => Math.max(...uploads.map(({ length }) => length));
  const count = most(await converted(10_000));
  expect(count).toBeGreaterThan(3);
  // One part more than fits: the tables are a group of their own.
  const uploads = await converted(count - 1);

  expect(most(uploads)).toBe(count - 1);
  expect(uploads.filter((lengths) => lengths.length === 1 && (lengths[0] ?? MIB) < MIB)).toHaveLength(1);
  expect(uploads.filter((lengths) => lengths.length === 2 && (lengths[1] ?? MIB) < MIB)).toHaveLength(1);
});
