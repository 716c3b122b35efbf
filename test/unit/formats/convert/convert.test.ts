import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Assembly, assemble, planParts, type Region, regions } from '../../../../formats/convert/assembly.ts';
import { type EncodedSlice, encodeSlice } from '../../../../formats/convert/blocks.ts';
import { detectedExtents } from '../../../../formats/convert/extent-map.ts';
import { assertConvertible, assertRatio } from '../../../../formats/convert/guard.ts';
import { renderedImage } from '../../../../formats/convert/placed.ts';
import {
  assertPlanFits,
  type ConversionPlan,
  planConversion,
  type TargetOptions,
} from '../../../../formats/convert/plan.ts';
import { renderRawSlice } from '../../../../formats/convert/raw.ts';
import { LimitExceeded, SourceChanged, Unsafe, Unsupported } from '../../../../formats/engine/errors.ts';
import type { DiskImage } from '../../../../formats/engine/image.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { inspect } from '../../../../formats/inspect.ts';
import { rawImage } from '../../../../formats/raw/module.ts';
import { openImage } from '../../../../formats/registry.ts';
import { writerOf } from '../../../../formats/writers.ts';
import { collect } from '../../../support/collect.ts';

/** A disk with text, noise and holes. */
function disk(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at += 8192) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const kind = (state >>> 16) % 4;
    if (kind === 1) bytes.fill(`line ${state} of text `, at, Math.min(length, at + 8192));
    if (kind === 2)
      for (let byte = at; byte < Math.min(length, at + 8192); byte++) bytes[byte] = Math.imul(byte, state) >>> 24;
  }
  return bytes;
}

/** Slices of a plan encoded in the given order, put together as any assembler would. */
async function converted(
  bytes: Buffer,
  options: TargetOptions,
  sliceSize: number,
  order?: readonly number[],
): Promise<Buffer> {
  const image = rawImage(memorySource(bytes));
  const plan = JSON.parse(
    JSON.stringify(planConversion(image, memorySource(bytes), options, sliceSize)),
  ) as ConversionPlan;
  const numbers = order ?? Array.from({ length: plan.sliceCount }, (_, number) => number);
  if (writerOf(plan.target).tables === undefined) return placed(renderedImage(image, plan), plan, numbers);
  const slices: EncodedSlice[] = [];
  for (const slice of numbers) slices[slice] = await encodeSlice(image, plan, slice);
  return assembled(plan, slices);
}

/** A file in which slices stand at their own offsets; nothing is written of slices without data. */
async function placed(image: DiskImage, plan: ConversionPlan, numbers: readonly number[]): Promise<Buffer> {
  const out = Buffer.alloc(plan.virtualSize);
  for (const slice of numbers) {
    out.set((await renderRawSlice(image, plan, slice)) ?? [], slice * plan.sliceSize);
  }
  return out;
}

function assembled(plan: ConversionPlan, slices: readonly EncodedSlice[]): Buffer {
  const index = Uint32Array.from(slices.flatMap((slice) => [...slice.index]));
  const assembly = assemble(plan, index);
  const out = Buffer.alloc(assembly.size, 0xee);
  for (const region of regions(assembly)) {
    const bytes = bytesOf(region, assembly, slices);
    expect(bytes.length).toBe(region.length);
    out.set(bytes, region.offset);
  }
  return out;
}

function bytesOf({ kind, slice, length }: Region, assembly: Assembly, slices: readonly EncodedSlice[]): Uint8Array {
  if (kind === 'gap') return new Uint8Array(length);
  return kind === 'head' || kind === 'tail' ? Buffer.concat([...assembly[kind]()]) : slices[slice]![kind];
}

type Made = 'qcow2' | 'vmdk' | 'vhd' | 'vhdx';

async function guestOf(file: Buffer, format: Made): Promise<Buffer> {
  const inspection = await inspect(memorySource(file));
  expect(inspection).toMatchObject({ format, verdict: 'accept', findings: [] });
  const image = await openImage(memorySource(file), format);
  const out = Buffer.alloc(image.virtualSize, 0xee);
  await image.readInto(0, out);
  return out;
}

const KIB = 1024;
const TARGETS: readonly TargetOptions[] = [
  ...[512, 4 * KIB, 64 * KIB].flatMap((clusterSize) =>
    (['none', 'zlib', 'zstd'] as const).map((compression) => ({ target: 'qcow2', clusterSize, compression }) as const),
  ),
  { target: 'qcow2', clusterSize: 2048 * KIB, compression: 'zlib' },
  { target: 'vmdk' },
  { target: 'vhd', subformat: 'dynamic' },
  { target: 'vhd', subformat: 'fixed' },
  { target: 'vhdx' },
];

describe.each(TARGETS)('conversion to %o', (options) => {
  const format = options.target as Made;
  const slice = 2048 * KIB;
  const bytes = disk(5 * 1024 * KIB + 512);

  it('reads back as the source', async () => {
    expect((await guestOf(await converted(bytes, options, slice), format)).equals(bytes)).toBe(true);
  });

  it('is the same file whatever the order of the slices, and when they are done again', async () => {
    const forward = await converted(bytes, options, slice);
    const backward = await converted(bytes, options, slice, [2, 0, 1, 2, 0]);

    expect(forward.equals(backward)).toBe(true);
  });

  it('pads a disk that is no whole number of sectors', async () => {
    const guest = await guestOf(await converted(bytes.subarray(0, 70_001), options, slice), format);

    expect(guest.length).toBe(70_144);
    expect(guest.subarray(0, 70_001).equals(bytes.subarray(0, 70_001))).toBe(true);
    expect(guest.subarray(70_001).every((byte) => byte === 0)).toBe(true);
  });

  it('holds any pattern of blocks with data and without', async () => {
    const pattern = fc.array(fc.constantFrom(0, 0, 1, 0xff), { minLength: 1, maxLength: 18 });
    await fc.assert(
      fc.asyncProperty(pattern, fc.integer({ min: 1, max: 64 }), async (pieces, sectors) => {
        const pieceBytes = 256 * KIB;
        const guest = Buffer.alloc((pieces.length - 1) * pieceBytes + sectors * 512);
        for (const [n, fill] of pieces.entries()) guest.fill(fill, n * pieceBytes, n * pieceBytes + 7);
        expect((await guestOf(await converted(guest, options, slice), format)).equals(guest)).toBe(true);
      }),
      { numRuns: 4 },
    );
  });
});

describe.each(['vhd', 'vhdx'] as const)('a conversion to %s', (target) => {
  const bytes = disk(3 * 1024 * KIB + 512);

  it('pads the disk to whole MiB when that is asked for', async () => {
    const guest = await guestOf(await converted(bytes, { target, wholeMib: true }, 2048 * KIB), target);

    expect(guest.length).toBe(4 * 1024 * KIB);
    expect(guest.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(guest.subarray(bytes.length).every((byte) => byte === 0)).toBe(true);
  });

  it('stores no block without data', async () => {
    const empty = await converted(Buffer.alloc(20 * 1024 * KIB), { target }, 2048 * KIB);

    expect(empty.length).toBeLessThanOrEqual(4 * 1024 * KIB);
    expect((await guestOf(empty, target)).equals(Buffer.alloc(20 * 1024 * KIB))).toBe(true);
  });
});

describe('planParts', () => {
  it('joins 10,000 slices of 1 KiB into parts of at least 5 MiB that cover the file', async () => {
    const bytes = disk(10_000 * KIB, 7);
    const image = rawImage(memorySource(bytes));
    const plan = planConversion(image, memorySource(bytes), { target: 'qcow2', clusterSize: 1024 }, KIB);
    const slices = await Promise.all(
      Array.from({ length: plan.sliceCount }, (_, slice) => encodeSlice(image, plan, slice)),
    );
    const index = Uint32Array.from(slices.flatMap((slice) => [...slice.index]));

    const parts = planParts(assemble(plan, index), 5 * 1024 * 1024);

    expect(plan.sliceCount).toBe(10_000);
    expect(parts.slice(0, -1).every((part) => part.length >= 5 * 1024 * KIB)).toBe(true);
    let at = 0;
    for (const part of parts) {
      expect(part.offset).toBe(at);
      expect(part.regions.reduce((sum, region) => sum + region.length, 0)).toBe(part.length);
      at += part.length;
    }
    const file = assembled(plan, slices);
    expect(at).toBe(file.length);
    expect((await guestOf(file, 'qcow2')).equals(bytes)).toBe(true);
  });
});

describe('raw slices', () => {
  it('are the guest bytes, null where all are zero', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200_000 }), fc.nat(1000), async (length, seed) => {
        const bytes = disk(length, seed);
        const image = rawImage(memorySource(bytes));
        const plan = planConversion(image, memorySource(bytes), { target: 'raw' }, 16_384);
        for (let slice = 0; slice < plan.sliceCount; slice++) {
          const expected = bytes.subarray(slice * 16_384, (slice + 1) * 16_384);
          const rendered = await renderRawSlice(image, plan, slice);
          expect(rendered === null || Buffer.from(rendered).equals(expected)).toBe(true);
          expect(rendered === null).toBe(expected.every((byte) => byte === 0));
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('a plan', () => {
  const bytes = disk(100_000);
  const source = memorySource(bytes, 'etag-1');
  const plan = planConversion(rawImage(source), source, { target: 'raw' });

  it('fits only the source it was made for', () => {
    expect(() => assertPlanFits(plan, source)).not.toThrow();
    expect(() => assertPlanFits(plan, memorySource(bytes, 'etag-2'))).toThrow(SourceChanged);
    expect(() => assertPlanFits(plan, memorySource(bytes.subarray(1), 'etag-1'))).toThrow(SourceChanged);
    expect(() => assertPlanFits({ ...plan, engine: 0 }, source)).toThrow(Unsupported);
  });

  it('has no slice outside the disk', async () => {
    await expect(renderRawSlice(rawImage(source), plan, 1)).rejects.toThrow(RangeError);
  });

  it('refuses cluster sizes that are none, and results with too many blocks', () => {
    const huge = { ...rawImage(source), virtualSize: 2 ** 45 };

    expect(() => planConversion(rawImage(source), source, { target: 'qcow2', clusterSize: 1000 })).toThrow(Unsupported);
    expect(() => planConversion(huge, source, { target: 'qcow2' })).toThrow(LimitExceeded);
  });

  it.each([
    ['vhd', 'dynamic', 2040],
    ['vhd', 'fixed', 2040],
    ['vhdx', undefined, 32 * 1024],
  ] as const)('of a %s %s reaches to %i GiB', (target, subformat, gib) => {
    const options = { target, ...(subformat === undefined ? {} : { subformat }) };
    const of = (virtualSize: number) => planConversion({ ...rawImage(source), virtualSize }, source, options);

    expect(of(gib * 2 ** 30).outputSize).toBe(gib * 2 ** 30);
    expect(() => of(gib * 2 ** 30 + 1)).toThrow(LimitExceeded);
  });

  it.each([
    [{ target: 'qcow2', subformat: 'fixed' }],
    [{ target: 'vhd', subformat: 'differencing' }],
    [{ target: 'qcow2', wholeMib: true }],
    [{ target: 'vhd', clusterSize: 65_536 }],
    [{ target: 'vhdx', compression: 'zlib' }],
    [{ target: 'vhdx', diskId: 'not-a-uuid' }],
  ] as const)('refuses what the target does not offer: %j', (options) => {
    expect(() => planConversion(rawImage(source), source, options)).toThrow(Unsupported);
  });
});

describe('the guard', () => {
  it('refuses what inspection refuses, and content that is never converted', async () => {
    const empty = await inspect(memorySource(new Uint8Array(0)));
    const gzip = await inspect(memorySource(Buffer.from('1f8b0800000000000003030000000000000000', 'hex')));

    expect(() => assertConvertible(empty, { format: 'raw' })).toThrow(Unsafe);
    expect(() => assertConvertible(gzip, { format: 'raw' })).toThrow(Unsafe);
  });

  it('refuses raw results that would be taken for another format', async () => {
    const inner = await converted(disk(100_000), { target: 'qcow2' }, 2048 * KIB);
    const outer = await inspect(memorySource(await converted(inner, { target: 'qcow2' }, 2048 * KIB)));

    expect(outer.findings.map((found) => found.code)).toContain('nested_format');
    expect(() => assertConvertible(outer, { format: 'raw' })).toThrow(Unsafe);
    expect(() => assertConvertible(outer, { format: 'vmdk' })).not.toThrow();
  });

  it('refuses an expansion beyond the ratio, not a small one', () => {
    expect(() => assertRatio(2 ** 40, 30_000)).toThrow(LimitExceeded);
    expect(() => assertRatio(2 ** 27, 30_000)).not.toThrow();
  });
});

describe('detectedExtents', () => {
  it('covers the disk and says zero for whole blocks of zeros', async () => {
    const bytes = Buffer.alloc(1024 * KIB);
    bytes.fill(1, 200 * KIB, 201 * KIB);

    const extents = await collect(detectedExtents(rawImage(memorySource(bytes))));

    expect(extents.map(({ start, length, zero }) => [start / KIB, length / KIB, zero])).toEqual([
      [0, 192, true],
      [192, 64, false],
      [256, 768, true],
    ]);
  });
});
