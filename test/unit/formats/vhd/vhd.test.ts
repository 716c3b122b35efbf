import { describe, expect, it } from 'vitest';
import { vhd } from '../../../../formats/vhd/module.ts';
import {
  block,
  patchVhdHeader,
  resealVhd,
  VHD_AT,
  VHD_BLOCK,
  vhdDynamic,
  vhdFixed,
  vhdFooter,
} from '../disk-builders.ts';
import { countingSource, expanded, inspected, opened, readsAs, refusals } from '../disk-contract.ts';

const a = block(1, VHD_BLOCK);
const b = block(2, VHD_BLOCK);
const c = block(3, VHD_BLOCK);
const plain = vhdDynamic([a, undefined, b]);

readsAs('a dynamic VHD', vhd, plain, resealVhd);
readsAs('a dynamic VHD with blocks out of order', vhd, vhdDynamic([a, b, undefined, c], { order: [3, 1, 0] }));
readsAs('a dynamic VHD that ends within a block', vhd, vhdDynamic([a, b], { size: VHD_BLOCK + 1536 }));
readsAs('a fixed VHD', vhd, vhdFixed(block(4, 300 * 512)));

/** The footer of a file and its copy, bent alike. */
function withFooters(file: Buffer, footer: Buffer): Buffer {
  const out = Buffer.from(file);
  footer.copy(out, 0);
  footer.copy(out, out.length - 512);
  return out;
}

describe('the size of a VHD', () => {
  const size = 3 * VHD_BLOCK;
  it.each([
    ['win ', size],
    ['qem2', size],
    ['d2v ', size],
    ['tap\0', size],
    ['CTXS', size],
    ['vpc ', 20 * 4 * 17 * 512],
    ['qemu', 20 * 4 * 17 * 512],
    ['wa\0\0', size],
    ['vbox', size],
    ['what', size],
  ])('follows the creator %j: %i', async (creator, expected) => {
    const { file } = vhdDynamic([a, undefined, b], { creator, geometry: [20, 4, 17] });

    expect((await inspected(vhd, file)).virtualSize).toBe(expected);
  });

  it('is the current size when the geometry is the largest there is', async () => {
    const { file } = vhdDynamic([a, undefined, b], { creator: 'vpc ', geometry: [65535, 16, 255] });

    expect((await inspected(vhd, file)).virtualSize).toBe(size);
  });
});

describe('a fixed VHD with more data than its disk has', () => {
  const inspectedFixed = async (creator: string) =>
    (await inspected(vhd, vhdFixed(block(4, 300 * 512), { creator, geometry: [4, 4, 17] }).file)).findings;

  it('is read, and says what is left out', async () => {
    expect(await inspectedFixed('qemu')).toEqual([
      {
        code: 'data_beyond',
        severity: 'warn',
        message: 'fixed VHD: 153600 bytes of data, of which the footer makes 139264 the disk',
      },
    ]);
  });

  it('says nothing where the disk is all of it', async () => {
    expect(await inspectedFixed('vbox')).toEqual([]);
  });
});

describe('a VHD is refused', () => {
  const footer = (bend: (bytes: Buffer) => void): Buffer => {
    const bytes = vhdFooter({ size: 3 * VHD_BLOCK });
    bend(bytes);
    bytes.writeUInt32BE(0, 64);
    bytes.writeUInt32BE(~bytes.reduce((sum, byte) => sum + byte, 0) >>> 0, 64);
    return withFooters(plain.file, bytes);
  };
  const table = (entry: number): Buffer => {
    const out = Buffer.from(plain.file);
    out.writeUInt32BE(entry, VHD_AT.table + 4);
    return out;
  };
  const sum = (at: number): Buffer => {
    const out = Buffer.from(plain.file);
    out.writeUInt8(out.readUInt8(at) ^ 1, at);
    return out;
  };
  const tail = plain.file.length - 512;
  it.each<[string, string, Buffer]>([
    ['as differencing', 'differencing', footer((f) => f.writeUInt32BE(4, 60))],
    ['for an unknown type', 'unsupported_type', footer((f) => f.writeUInt32BE(5, 60))],
    ['for another version', 'unsupported_version', footer((f) => f.writeUInt32BE(0x20000, 12))],
    ['for a size of 0', 'corrupt', footer((f) => f.writeBigUInt64BE(0n, 48))],
    ['for a size above 2^53', 'corrupt', footer((f) => f.writeBigUInt64BE(2n ** 60n, 48))],
    ['for a size above 2040 GiB', 'corrupt', footer((f) => f.writeBigUInt64BE(2041n * 2n ** 30n, 48))],
    ['for a dynamic header past the end', 'truncated', footer((f) => f.writeBigUInt64BE(2n ** 40n, 16))],
    ['for a dynamic header that is none', 'corrupt', footer((f) => f.writeBigUInt64BE(1024n, 16))],
    ['for a wrong checksum in the footer', 'bad_checksum', sum(tail + 100)],
    ['for a wrong checksum in the copy', 'bad_checksum', sum(100)],
    ['for a wrong checksum in the dynamic header', 'bad_checksum', sum(VHD_AT.header + 60)],
    [
      'when copy and footer differ',
      'footer_mismatch',
      Buffer.concat([vhdFooter({ size: VHD_BLOCK }), plain.file.subarray(512)]),
    ],
    ['without the copy', 'footer_mismatch', Buffer.concat([Buffer.alloc(512), plain.file.subarray(512)])],
    ['when a fixed disk begins with a footer', 'footer_mismatch', vhdFixed(plain.file).file],
    ['when a fixed disk is longer than its data', 'truncated', vhdFixed(Buffer.alloc(1024), { size: 2048 }).file],
    ['without the footer', 'truncated', plain.file.subarray(0, tail)],
    ['for a block past the end', 'truncated', table(0x7fff_ffff)],
    ['for a block over the footer', 'truncated', table(tail / 512 - 100)],
    ['for a block over the table', 'corrupt', table(2)],
    ["for a block whose sectors' bitmap lies over the table", 'corrupt', table(VHD_AT.table / 512)],
    // The writer that counts a block without its bitmap.
    ["for a bitmap over the last sector of another block's data", 'corrupt', table(VHD_AT.blocks / 512 + 512)],
    ['for two entries of one block', 'corrupt', table(VHD_AT.blocks / 512)],
    ['for a table too short', 'corrupt', patchVhdHeader(plain.file, (h) => h.writeUInt32BE(2, 28))],
    ['for a table past the end', 'truncated', patchVhdHeader(plain.file, (h) => h.writeUInt32BE(0xffff_fffe, 28))],
    ['for a block size of 0', 'corrupt', patchVhdHeader(plain.file, (h) => h.writeUInt32BE(0, 32))],
    [
      'for a block size that is no power of two',
      'corrupt',
      patchVhdHeader(plain.file, (h) => h.writeUInt32BE(VHD_BLOCK + 512, 32)),
    ],
    ['for a huge block size', 'corrupt', patchVhdHeader(plain.file, (h) => h.writeUInt32BE(0x8000_0000, 32))],
    [
      'for another dynamic header version',
      'unsupported_format',
      patchVhdHeader(plain.file, (h) => h.writeUInt32BE(9, 24)),
    ],
  ])('%s: %s', async (_why, code, file) => {
    expect(await refusals(vhd, file)).toContain(code);
    if (code !== 'corrupt' && code !== 'truncated') await expect(opened(vhd, file)).rejects.toThrow();
  });

  it('when a damaged entry is read, whatever inspection saw', async () => {
    const image = await opened(vhd, table(0x7fff_ffff));

    await expect(image.readInto(VHD_BLOCK, Buffer.alloc(512))).rejects.toMatchObject({ kind: 'Truncated' });
  });
});

describe('a VHD', () => {
  it('may have a footer of 511 bytes, as very old writers left it', async () => {
    const { file, raw } = vhdFixed(block(4, 4096));

    expect((await expanded(vhd, file.subarray(0, file.length - 1))).equals(raw)).toBe(true);
  });

  it('costs one read for neighbouring blocks, and none for holes', async () => {
    const blocks = Array.from({ length: 8 }, (_, i) => (i < 6 ? block(i, VHD_BLOCK) : undefined));
    const { source, reads } = countingSource(vhdDynamic(blocks).file);
    const image = await vhd.open!(source);
    await image.readInto(0, new Uint8Array(512));
    reads.length = 0;

    await image.readInto(0, new Uint8Array(image.virtualSize), true);
    expect(reads).toHaveLength(1);
    await image.readInto(6 * VHD_BLOCK, new Uint8Array(VHD_BLOCK), true);
    expect(reads).toHaveLength(1);
  });

  it('warns of a saved state', async () => {
    const bytes = vhdFooter({ size: 3 * VHD_BLOCK });
    bytes.writeUInt8(1, 84);
    bytes.writeUInt32BE((bytes.readUInt32BE(64) - 1) >>> 0, 64);

    const { findings } = await inspected(vhd, withFooters(plain.file, bytes));
    expect(findings).toMatchObject([{ code: 'saved_state', severity: 'warn' }]);
  });
});
