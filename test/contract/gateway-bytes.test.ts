import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyStored } from '../../bytes/copy.ts';
import { segmentKey } from '../../bytes/keys.ts';
import { objectSource } from '../../bytes/object-source.ts';
import { plainWriter } from '../../bytes/plain-writer.ts';
import { sparseWriter } from '../../bytes/sparse-writer.ts';
import type { Store } from '../../bytes/store.ts';
import { openStored } from '../../bytes/stored-image.ts';
import { parseConfig } from '../../core/config.ts';
import { NotFound } from '../../core/errors.ts';
import { SourceChanged, Truncated } from '../../formats/engine/errors.ts';
import { type S3Rig, startPlaces } from '../support/s3-places.ts';

const MIB = 1024 * 1024;
const config = parseConfig({
  stores: [
    { id: 'one', bucket: 'bucket-one' },
    { id: 'two', bucket: 'bucket-two' },
  ],
});
let s3: S3Rig;
/** The same service under another name: copies to it must stream. */
let elsewhere: Store;

beforeAll(async () => {
  s3 = await startPlaces(config);
  elsewhere = { ...s3.places.store('two'), canCopyFrom: () => false };
});
afterAll(() => s3.close());

/** Bytes with holes of every size. */
function holey(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 5 * MIB + 4321) randomBytes(Math.min(MIB, size - at)).copy(bytes, at);
  return bytes;
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

describe.each([
  ['plain', plainWriter],
  ['sparse', sparseWriter],
] as const)('a %s image', (layout, writerOf) => {
  it.each([0, 1, 65_536, 16 * MIB - 1, 16 * MIB, 37 * MIB + 3])('of %i bytes is read back', async (size) => {
    const bytes = holey(size);
    const prefix = `images/${layout}/${size}/`;
    const writer = writerOf(s3.places.staging, prefix);

    for (let at = 0; at < size; at += 777_777) await writer.write(bytes.subarray(at, at + 777_777));
    const written = await writer.finish();
    const reader = await openStored(s3.places, { place: 'staging', prefix, layout, size });

    expect(written).toMatchObject({ layout, size });
    expect(reader.size).toBe(size);
    expect((await collect(reader.stream(0, size))).equals(bytes)).toBe(true);
    const start = Math.floor(size / 3);
    expect(Buffer.from(await reader.read(start, size - start)).equals(bytes.subarray(start))).toBe(true);
  });

  it('describes every byte once by its extents', async () => {
    const bytes = holey(20 * MIB + 5);
    const prefix = `images/${layout}/extents/`;
    const writer = writerOf(s3.places.staging, prefix);
    await writer.write(bytes);
    await writer.finish();
    const reader = await openStored(s3.places, { place: 'staging', prefix, layout, size: bytes.length });

    let at = 1000;
    for await (const extent of reader.extents(1000, bytes.length - 7)) {
      expect(extent.start).toBe(at);
      at += extent.length;
      if (extent.zero) expect(bytes.subarray(extent.start, at).every((byte) => byte === 0)).toBe(true);
    }

    expect(at).toBe(bytes.length - 7);
  });

  it.each(['two', 'another service'])('is copied to %s, again and again, byte for byte', async (to) => {
    const bytes = holey(150 * MIB + 11);
    const prefix = `images/${layout}/${to}/`;
    const writer = writerOf(s3.places.store('one'), prefix);
    await writer.write(bytes);
    const written = await writer.finish();
    const from = { place: 'one', prefix, layout, size: bytes.length };
    let told = { bytes: 0, total: 0 };

    const target = to === 'two' ? s3.places.store('two') : elsewhere;
    const onBytes = async (bytes: number, total: number) => {
      told = { bytes: told.bytes + bytes, total };
    };
    await copyStored(s3.places, from, target, prefix);
    const copied = await copyStored(s3.places, from, target, prefix, { onBytes });

    expect(copied.storedBytes).toBe(written.storedBytes);
    expect(copied.url).toMatch(
      layout === 'plain' ? /^s3:\/\/bucket-two\/.*data$/ : /^glimpse\+s3:\/\/bucket-two\/.*map$/,
    );
    const reader = await openStored(s3.places, { ...from, place: 'two' });
    expect((await collect(reader.stream(0, bytes.length))).equals(bytes)).toBe(true);
    expect(told.bytes).toBe(told.total);
    expect(told.total).toBeGreaterThan(bytes.length / 10);
    await s3.places.removePrefix('one', prefix);
  });

  it('stops a copy when the guard says so', async () => {
    const prefix = `images/${layout}/guarded/`;
    const writer = writerOf(s3.places.store('one'), prefix);
    await writer.write(randomBytes(MIB));
    await writer.finish();
    const guard = async () => {
      throw new Error('the lock is gone');
    };

    const copy = copyStored(
      s3.places,
      { place: 'one', prefix, layout, size: MIB },
      s3.places.store('two'),
      `${prefix}copy/`,
      { guard },
    );

    await expect(copy).rejects.toThrow('the lock is gone');
    expect((await s3.keys('two')).filter((key) => key.startsWith(`${prefix}copy/`))).toEqual([]);
  });

  it('leaves no unfinished upload when it is aborted', async () => {
    const prefix = `images/${layout}/aborted/`;
    const writer = writerOf(s3.places.staging, prefix);
    await writer.write(randomBytes(40 * MIB));

    await writer.abort();

    expect((await s3.keys('staging')).filter((key) => key === `upload:${prefix}data`)).toEqual([]);
    await expect(openStored(s3.places, { place: 'staging', prefix, layout, size: 1 })).rejects.toThrow(NotFound);
  });
});

describe('objectSource', () => {
  it('reads as memory does', async () => {
    const bytes = randomBytes(300_000);
    await s3.places.staging.putObject('source/random', bytes);
    const source = await objectSource(s3.places.staging, 'source/random');

    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), fc.nat(bytes.length), async (a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        const got = await source.read(start, end - start);
        expect(Buffer.from(got).equals(bytes.subarray(start, end))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('tells a changed object, a missing one and a read past the end apart', async () => {
    const { staging } = s3.places;
    await staging.putObject('source/changing', Buffer.from('before'));
    const source = await objectSource(staging, 'source/changing');
    await staging.putObject('source/changing', Buffer.from('behind'));

    await expect(source.read(0, 1)).rejects.toThrow(SourceChanged);
    await expect(source.read(5, 2)).rejects.toThrow(Truncated);
    await expect(objectSource(staging, 'source/none')).rejects.toThrow(NotFound);
    await expect(objectSource(staging, 'source/changing', { size: 99 })).rejects.toThrow(SourceChanged);
  });
});

describe('removePrefix', () => {
  it('removes objects and unfinished uploads of the prefix, and nothing else; again is fine', async () => {
    const { staging } = s3.places;
    for (let n = 0; n < 12; n++) await staging.putObject(segmentKey('sweep/a/', n), Buffer.from('x'));
    await staging.putObject('sweep/ab', Buffer.from('x'));
    await staging.multipart('sweep/a/data').putPart(0, randomBytes(100));
    expect(await s3.keys('staging')).toContain('upload:sweep/a/data');

    await s3.places.removePrefix('staging', 'sweep/a/');
    await s3.places.removePrefix('staging', 'sweep/a/');

    expect((await s3.keys('staging')).filter((key) => key.includes('sweep/'))).toEqual(['sweep/ab']);
    expect(await staging.headObject('sweep/ab')).toMatchObject({ size: 1 });
    await expect(staging.headObject('sweep/a/data')).rejects.toThrow(NotFound);
  });
});
