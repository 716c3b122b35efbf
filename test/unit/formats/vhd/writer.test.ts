import { describe, expect, it } from 'vitest';
import { planConversion } from '../../../../formats/convert/plan.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { rawImage } from '../../../../formats/raw/module.ts';
import { encodeFooter, geometryOf, parseFooter, virtualSizeOf } from '../../../../formats/vhd/footer.ts';
import { vhdDynamicWriter, vhdFixedWriter } from '../../../../formats/vhd/writer.ts';

const MIB = 1024 * 1024;
const IDENTITY = '00112233-4455-6677-8899-aabbccddeeff';

describe('the geometry of a VHD', () => {
  // Worked out by hand from "CHS Calculation" of the specification, at both sides of each of its borders.
  it.each([
    [1, { cylinders: 0, heads: 4, sectorsPerTrack: 17 }],
    [68, { cylinders: 1, heads: 4, sectorsPerTrack: 17 }],
    [10 * 2048, { cylinders: 301, heads: 4, sectorsPerTrack: 17 }],
    [17 * 16 * 1024 - 1, { cylinders: 1023, heads: 16, sectorsPerTrack: 17 }],
    [17 * 16 * 1024, { cylinders: 561, heads: 16, sectorsPerTrack: 31 }],
    [31 * 16 * 1024 - 1, { cylinders: 1023, heads: 16, sectorsPerTrack: 31 }],
    [31 * 16 * 1024, { cylinders: 503, heads: 16, sectorsPerTrack: 63 }],
    [65535 * 16 * 63 - 1, { cylinders: 65534, heads: 16, sectorsPerTrack: 63 }],
    [65535 * 16 * 63, { cylinders: 16191, heads: 16, sectorsPerTrack: 255 }],
    [65535 * 16 * 255, { cylinders: 65535, heads: 16, sectorsPerTrack: 255 }],
    [2 ** 32, { cylinders: 65535, heads: 16, sectorsPerTrack: 255 }],
  ])('of %i sectors', (sectors, geometry) => {
    expect(geometryOf(sectors)).toEqual(geometry);
  });
});

describe('a footer', () => {
  it('says the current size to every reader, whatever the geometry', () => {
    const footer = parseFooter(
      encodeFooter({ diskType: 2, dataOffset: 2n ** 64n - 1n, currentSize: 513 * 512, uniqueId: IDENTITY }),
    );

    expect(footer).toMatchObject({ creator: 'qem2', currentSize: 513 * 512, checksumValid: true, savedState: false });
    expect(footer.cylinders * footer.heads * footer.sectorsPerTrack).toBeLessThan(513);
    expect(virtualSizeOf(footer)).toBe(513 * 512);
  });

  it('has the fields of the specification at their places', () => {
    const bytes = Buffer.from(
      encodeFooter({ diskType: 3, dataOffset: 512n, currentSize: 5 * MIB, uniqueId: IDENTITY }),
    );

    expect(bytes.length).toBe(512);
    expect(bytes.toString('latin1', 0, 8)).toBe('conectix');
    expect(bytes.toString('hex', 8, 28)).toBe('00000002000100000000000000000200' + '00000000');
    expect(bytes.toString('latin1', 28, 40)).toBe('qem2\0\x05\0\x03Wi2k');
    expect([bytes.readBigUInt64BE(40), bytes.readBigUInt64BE(48)]).toEqual([BigInt(5 * MIB), BigInt(5 * MIB)]);
    expect(bytes.readUInt32BE(60)).toBe(3);
    expect(bytes.toString('hex', 68, 84)).toBe(IDENTITY.replaceAll('-', ''));
    expect(bytes.subarray(84).every((byte) => byte === 0)).toBe(true);
  });
});

describe('the tables of a dynamic disk', () => {
  const source = memorySource(new Uint8Array(512));
  const image = { ...rawImage(source), virtualSize: 9 * MIB };
  const plan = planConversion(image, source, { target: 'vhd', identity: IDENTITY });
  const stored = 512 + 2 * MIB;
  const { head, tail } = vhdDynamicWriter.tables.assemble(plan, Uint32Array.from([0, stored, 0, stored, stored]), {
    plainLength: Float64Array.of(0),
    packedLength: Float64Array.of(3 * stored),
    plainOffset: Float64Array.of(2048),
    packedOffset: Float64Array.of(2048),
    end: 2048 + 3 * stored,
  });
  const front = Buffer.concat([...head()]);

  it('stand in front of the blocks, as long as was said', () => {
    expect(front.length).toBe(vhdDynamicWriter.tables.headLength(plan));
    expect(front.subarray(0, 512).equals(Buffer.concat([...tail()]))).toBe(true);
    expect(front.toString('latin1', 512, 520)).toBe('cxsparse');
    expect(front.readBigUInt64BE(520)).toBe(2n ** 64n - 1n);
    expect(front.readBigUInt64BE(528)).toBe(1536n);
    expect([front.readUInt32BE(540), front.readUInt32BE(544)]).toEqual([5, 2 * MIB]);
  });

  it('name the sector of each block that is stored, and are padded as if more were absent', () => {
    const entries = Array.from({ length: 128 }, (_, n) => front.readUInt32BE(1536 + n * 4));

    expect(entries.slice(0, 5)).toEqual([0xffffffff, 4, 0xffffffff, 4 + 4097, 4 + 2 * 4097]);
    expect(entries.slice(5).every((entry) => entry === 0xffffffff)).toBe(true);
  });

  it('has a block for the last sector of the largest disk', () => {
    const largest = planConversion({ ...image, virtualSize: 2040 * 2 ** 30 }, source, { target: 'vhd' });

    expect(vhdDynamicWriter.tables.headLength(largest)).toBe(1536 + 4 * 1020 * 1024);
  });
});

describe('a fixed disk', () => {
  it('is as long as the disk and its footer', () => {
    const source = memorySource(new Uint8Array(16 * MIB));
    const plan = planConversion(rawImage(source), source, { target: 'vhd', subformat: 'fixed', identity: IDENTITY });

    expect(plan).toMatchObject({ outputSize: 16 * MIB, virtualSize: 16 * MIB + 512, sliceCount: 2 });
    expect(parseFooter(vhdFixedWriter.trailer(plan))).toMatchObject({ diskType: 2, dataOffset: 2n ** 64n - 1n });
  });
});
