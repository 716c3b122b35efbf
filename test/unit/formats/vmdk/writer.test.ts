import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vmdk } from '../../../../formats/vmdk/module.ts';
import { assembleStream, encodeGrain, grainRoom, streamHead } from '../../../../formats/vmdk/writer.ts';
import { block } from '../disk-builders.ts';
import { expanded, inspected, readsAs, refusals } from '../disk-contract.ts';

const GRAIN = 64 * 1024;

/** A grain as it is stored. */
function stored(lba: number, grain: Uint8Array): Uint8Array {
  const target = Buffer.alloc(grainRoom(grain.length), 0xee);
  return target.subarray(0, encodeGrain(lba, grain, target));
}

/** The stream of a raw disk: phase one grain by grain, phase two from the lengths. */
function written(raw: Buffer, grainSize = GRAIN): Buffer {
  const lengths = new Uint32Array(Math.ceil(raw.length / grainSize));
  const bodies: Uint8Array[] = [];
  for (const i of lengths.keys()) {
    const grain = Buffer.alloc(grainSize);
    raw.copy(grain, 0, i * grainSize);
    if (grain.every((byte) => byte === 0)) continue;
    const body = stored((i * grainSize) / 512, grain);
    lengths[i] = body.length;
    bodies.push(body);
  }
  const { head, tail, headLength, tailLength } = assembleStream({ virtualSize: raw.length, grainSize }, lengths);
  expect(Buffer.concat([...head()])).toHaveLength(headLength);
  expect(Buffer.concat([...tail()])).toHaveLength(tailLength);
  return Buffer.concat([...head(), ...bodies, ...tail()]);
}

/** Bytes that do not deflate, the same in every run. */
function noise(length: number): Buffer {
  let state = 1;
  return Buffer.from(
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    }),
  );
}

const mixed = Buffer.concat([block(1, GRAIN), Buffer.alloc(GRAIN), noise(GRAIN), noise(GRAIN / 2), block(2, GRAIN)]);
readsAs('a written stream', vmdk, { file: written(mixed), raw: mixed });

describe('the streamOptimized writer', () => {
  it('gives disks of any content back', async () => {
    const piece = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 200 }));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
        const kinds = [Buffer.alloc, noise, (n: number) => block(5, n), (n: number) => Buffer.alloc(n, 0xe5)];
        const raw = Buffer.concat(pieces.map(([kind, sectors]) => kinds[kind]!(sectors * 512)));
        const file = written(raw, 4096);

        expect(await refusals(vmdk, file)).toEqual([]);
        expect((await expanded(vmdk, file)).equals(raw)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('writes several tables, and none for 512 grains of zeros', async () => {
    const raw = Buffer.alloc(4096 * 512 * 3 + 512);
    block(1, 4096).copy(raw, 4096 * 511);
    block(2, 512).copy(raw, raw.length - 512);
    const file = written(raw, 4096);
    const facts = await inspected(vmdk, file);
    const grain = (at: number): number => stored(0, raw.subarray(at, at + 4096)).length;

    expect((await expanded(vmdk, file)).equals(raw)).toBe(true);
    expect(facts).toMatchObject({ subformat: 'streamOptimized', allocatedBytes: 4096 + 512, findings: [] });
    expect(file.length).toBe(65536 + grain(4096 * 511) + grain(raw.length - 512) + 2 * 2560 + 1024 + 1536);
  });

  it('writes a disk of zeros', async () => {
    const file = written(Buffer.alloc(GRAIN * 3));

    expect((await expanded(vmdk, file)).every((byte) => byte === 0)).toBe(true);
    expect(file).toHaveLength(65536 + 1024 + 1536);
  });

  it('has a header that does not depend on the grains', () => {
    const shape = { virtualSize: mixed.length, grainSize: GRAIN };

    expect(written(mixed).subarray(0, 65536).equals(streamHead(shape))).toBe(true);
  });

  it('stores a grain the same wherever it will stand, but for its number', () => {
    const one = stored(0, block(1, GRAIN));
    const other = stored(2 ** 33, block(1, GRAIN));

    expect(Buffer.from(other).readBigUInt64LE(0)).toBe(2n ** 33n);
    expect(other.subarray(8)).toEqual(one.subarray(8));
  });

  it('grows noise by a sector at most', () => {
    expect(stored(0, noise(GRAIN)).length).toBe(GRAIN + 512);
  });

  it('refuses a file that 32 bits of sectors cannot address', () => {
    const lengths = new Uint32Array(600).fill(2 ** 32 - 512);

    expect(() => assembleStream({ virtualSize: 600 * GRAIN, grainSize: GRAIN }, lengths)).toThrow(/sector numbers/);
  });
});
