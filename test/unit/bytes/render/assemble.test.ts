/** What of a large target passes through the memory of the step that assembles it, and what the store copies by itself. */
import { expect, it, test } from 'vitest';
import { type Assembly, planParts } from '../../../../formats/convert/assembly.ts';
import { expectClean } from '../../../support/memory/import-ends.ts';
import { importRig } from '../../../support/memory/imports.ts';
import { rawDisk } from '../../../support/raw-disk.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MIN = 5 * MIB;

/** A target of 80 GiB: of each slice a packed body of 7 MiB, and a plain one of 4 MiB at a cluster's border. */
function large(): Assembly {
  const count = Math.floor((80 * GIB) / (11 * MIB + 64 * KIB));
  const column = (at: (slice: number) => number) => Float64Array.from({ length: count }, (_, slice) => at(slice));
  const stride = 11 * MIB + 64 * KIB;
  const slices = {
    plainLength: column(() => 4 * MIB),
    packedLength: column(() => 7 * MIB - 100),
    packedOffset: column((slice) => 64 * KIB + slice * stride),
    plainOffset: column((slice) => 128 * KIB + slice * stride + 7 * MIB),
    end: 64 * KIB + count * stride,
  };
  const size = slices.end + MIB;
  return { size, headLength: 64 * KIB, tailLength: MIB, head: () => [], tail: () => [], slices };
}

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
