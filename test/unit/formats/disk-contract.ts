import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../formats/engine/errors.ts';
import type { DiskImage, FormatFacts, FormatModule } from '../../../formats/engine/image.ts';
import type { ByteSource } from '../../../formats/engine/source.ts';
import { memorySource } from '../../../formats/engine/source.ts';
import { probeWindow } from '../../../formats/engine/window.ts';
import { isZero } from '../../../formats/node/codecs/bytes.ts';
import { effortOf } from '../../support/effort.ts';
import type { Built } from './disk-builders.ts';

/** A source that notes every read, with the cost of a range GET: gaps up to 128 KiB are bridged. */
export function countingSource(bytes: Uint8Array): { readonly source: ByteSource; readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  const base = memorySource(bytes);
  const source = {
    size: base.size,
    async read(offset: number, length: number): Promise<Uint8Array> {
      reads.push([offset, length]);
      return base.read(offset, length);
    },
  };
  return { source, reads };
}

export async function inspected(module: FormatModule, bytes: Uint8Array): Promise<FormatFacts> {
  const source = memorySource(bytes);
  return module.inspect(source, await probeWindow(source));
}

/** Codes of the findings that refuse. */
export async function refusals(module: FormatModule, bytes: Uint8Array): Promise<readonly string[]> {
  const { findings } = await inspected(module, bytes);
  return findings.filter(({ severity }) => severity === 'refuse').map(({ code }) => code);
}

export async function opened(module: FormatModule, bytes: Uint8Array): Promise<DiskImage> {
  if (module.open === undefined) throw new TypeError(`${module.format} is not opened`);
  return module.open(memorySource(bytes));
}

export async function expanded(module: FormatModule, bytes: Uint8Array): Promise<Buffer> {
  const image = await opened(module, bytes);
  const out = Buffer.alloc(image.virtualSize, 0xee);
  await image.readInto(0, out);
  return out;
}

/**
 * What every reader owes its callers, on one image.
 * @param reseal sets checksums right again, so that damage gets past them
 */
export function readsAs(
  name: string,
  module: FormatModule,
  { file, raw }: Built,
  reseal: (bytes: Buffer) => void = () => undefined,
): void {
  describe(name, () => {
    it('is detected and accepted', async () => {
      const facts = await inspected(module, file);

      expect(module.probe(await probeWindow(memorySource(file)))).toBe(true);
      expect(facts.findings.filter(({ severity }) => severity === 'refuse')).toEqual([]);
      expect(facts.virtualSize).toBe(raw.length);
    });

    it('reads whole, over bytes that were there before', async () => {
      expect((await expanded(module, file)).equals(raw)).toBe(true);
    });

    it('reads any range, and holes as zeros in a target that is zero', async () => {
      const image = await opened(module, file);
      const range = fc.tuple(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 200_000 }), fc.boolean());
      await fc.assert(
        fc.asyncProperty(range, async ([offset, wanted, zero]) => {
          const target = Buffer.alloc(Math.min(wanted, raw.length - offset), zero ? 0 : 0xee);
          await image.readInto(offset, target, zero);
          expect(target.equals(raw.subarray(offset, offset + target.length))).toBe(true);
        }),
        { numRuns: 40 },
      );
    });

    it('tells extents that cover any range in order and are zero where they say so', async () => {
      const image = await opened(module, file);
      const range = fc.tuple(fc.nat(raw.length), fc.nat(raw.length)).map((pair) => pair.toSorted((a, b) => a - b));
      await fc.assert(
        fc.asyncProperty(range, async ([start = 0, end = 0]) => {
          let at = start;
          for await (const extent of image.extents(start, end)) {
            expect(extent.start).toBe(at);
            expect(extent.length).toBeGreaterThan(0);
            if (extent.zero) expect(isZero(raw.subarray(at, at + extent.length))).toBe(true);
            at += extent.length;
          }
          expect(at).toBe(end);
        }),
        { numRuns: 20 },
      );
    });

    it('counts allocated bytes as its extents do', async () => {
      const facts = await inspected(module, file);
      const image = await opened(module, file);
      let allocated = 0;
      for await (const { zero, length } of image.extents(0, raw.length)) allocated += zero ? 0 : length;

      expect(facts.allocatedBytes).toBe(allocated);
    });

    it('refuses reads past the end of the disk', async () => {
      const image = await opened(module, file);

      await expect(image.readInto(raw.length - 1, Buffer.alloc(2))).rejects.toBeInstanceOf(FormatError);
    });

    it('is refused when cut short, or reads the same', async () => {
      const cut = fc.integer({ min: 0, max: file.length - 1 });
      await fc.assert(
        fc.asyncProperty(cut, async (length) => {
          const short = file.subarray(0, length);
          if ((await refusals(module, short)).length > 0) return;
          expect((await expanded(module, short)).equals(raw)).toBe(true);
        }),
        { numRuns: 60 },
      );
    });

    it('answers damaged bytes with a result or a typed error, with little work', async () => {
      await fc.assert(
        fc.asyncProperty(damage(file), fc.boolean(), async (bytes, whole) => {
          if (whole) reseal(bytes);
          expect(await effortOf(() => exercise(module, bytes))).toBeLessThan(100);
        }),
        { numRuns: 150 },
      );
    });
  });
}

/** Bytes worth bending: the structures are at both ends and at round places, data is in between. */
function damage(file: Buffer): fc.Arbitrary<Buffer> {
  const near = fc.oneof(
    fc.nat(1023),
    fc.nat(4095),
    fc.nat(file.length - 1),
    fc.nat(2047).map((back) => Math.max(0, file.length - 1 - back)),
    fc.tuple(fc.nat(Math.floor((file.length - 1) / 65536)), fc.nat(127)).map(([page, at]) => page * 65536 + at),
  );
  const value = fc.oneof(
    fc.constantFrom(Buffer.alloc(4), Buffer.alloc(4, 0xff), Buffer.alloc(8, 0xff), Buffer.from([0, 0, 0, 0x80])),
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
  );
  return fc.array(fc.tuple(near, value), { minLength: 1, maxLength: 4 }).map((edits) => {
    const out = Buffer.from(file);
    for (const [at, bytes] of edits) out.set(bytes.subarray(0, Math.max(0, out.length - at)), Math.min(at, out.length));
    return out;
  });
}

/** Inspection never throws; opening and reading throw typed errors only. */
async function exercise(module: FormatModule, bytes: Buffer): Promise<void> {
  await inspected(module, bytes);
  try {
    const image = await opened(module, bytes);
    const end = Math.min(image.virtualSize, 64 * 1024 * 1024);
    await image.readInto(0, new Uint8Array(Math.min(end, 1024 * 1024)), true);
    for await (const { start, length } of image.extents(0, end))
      if (!(length > 0)) throw new Error(`an extent of ${length} bytes at ${start}`);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}
