import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { vdi } from '../../../../formats/vdi/module.ts';
import { block, VDI_BLOCK, vdiImage } from '../disk-builders.ts';
import { countingSource, expanded, inspected, readsAs, refusals } from '../disk-contract.ts';

const a = block(1, VDI_BLOCK);
const b = block(2, VDI_BLOCK);
const plain = vdiImage([a, undefined, b]);

readsAs('a dynamic VDI', vdi, plain);
readsAs('a VDI with blocks out of order', vdi, vdiImage([a, b, undefined, block(3, VDI_BLOCK)], { order: [3, 0, 1] }));
readsAs('a static VDI', vdi, vdiImage([a, b], { type: 2 }));

function bent(bend: (file: Buffer) => void): Buffer {
  const out = Buffer.from(plain.file);
  bend(out);
  return out;
}

describe('a VDI is refused', () => {
  it.each<[string, string, (file: Buffer) => void]>([
    ['as an undo image', 'differencing', (f) => f.writeUInt32LE(3, 76)],
    ['as differencing', 'differencing', (f) => f.writeUInt32LE(4, 76)],
    ['for a parent', 'differencing', (f) => f.fill(7, 440, 456)],
    ['for a link', 'differencing', (f) => f.fill(7, 424, 440)],
    ['for an unknown type', 'unsupported_type', (f) => f.writeUInt32LE(9, 76)],
    ['for another version', 'unsupported_version', (f) => f.writeUInt32LE(0x10000, 68)],
    ['for sectors of 4096', 'corrupt', (f) => f.writeUInt32LE(4096, 360)],
    ['for a block size of 0', 'corrupt', (f) => f.writeUInt32LE(0, 376)],
    ['for a block size that is no power of two', 'corrupt', (f) => f.writeUInt32LE(VDI_BLOCK + 512, 376)],
    ['for a map in the header', 'corrupt', (f) => f.writeUInt32LE(0, 340)],
    ['for data over the map', 'corrupt', (f) => f.writeUInt32LE(512, 344)],
    ['for an odd data offset', 'corrupt', (f) => f.writeUInt32LE(1025, 344)],
    ['for too few blocks', 'corrupt', (f) => f.writeUInt32LE(2, 384)],
    [
      'for a map past the end',
      'truncated',
      (f) => {
        f.writeUInt32LE(0x1fff_ff00, 384);
        f.writeUInt32LE(0x8000_0000, 344);
      },
    ],
    ['for a size of 0', 'corrupt', (f) => f.writeBigUInt64LE(0n, 368)],
    ['for a size above 2^53', 'corrupt', (f) => f.writeBigUInt64LE(2n ** 63n, 368)],
    ['for more blocks allocated than there are', 'corrupt', (f) => f.writeUInt32LE(4, 388)],
    ['for an index past the allocated blocks', 'corrupt', (f) => f.writeUInt32LE(2, 512 + 4)],
    ['for two entries of one block', 'corrupt', (f) => f.writeUInt32LE(0, 512 + 4)],
    ['for huge extra bytes per block', 'corrupt', (f) => f.writeUInt32LE(0x7fff_fe00, 380)],
  ])('%s: %s', async (_why, code, bend) => {
    expect(await refusals(vdi, bent(bend))).toContain(code);
  });
});

describe('a VDI', () => {
  it.each([
    ['no bytes before its signature', 67, false],
    ['a signature, and nothing behind it', 68, true],
  ])('is told by %s', async (_what, length, is) => {
    const window = await probeWindow(memorySource(plain.file.subarray(0, length)));

    expect(vdi.probe(window)).toBe(is);
    expect(vdi.probe(await probeWindow(memorySource(new Uint8Array(4096))))).toBe(false);
  });

  it('tells who wrote it, its blocks and its type, and finds nothing else', async () => {
    const facts = await inspected(vdi, plain.file);

    expect(facts).toMatchObject({ subformat: 'dynamic', blockSize: VDI_BLOCK, findings: [] });
    expect(facts.details).toEqual({
      creator: 'Oracle VM VirtualBox Disk Image',
      block_size: VDI_BLOCK,
      disk_type: 'dynamic',
    });
  });

  it.each([
    ['static', 2],
    ['undo', 3],
    ['differencing', 4],
  ])('tells that it is %s', async (type, value) => {
    const facts = await inspected(
      vdi,
      bent((f) => f.writeUInt32LE(value, 76)),
    );

    expect(facts.details['disk_type']).toBe(type);
  });

  it('of a kind that is refused is not looked at any further', async () => {
    const file = bent((f) => {
      f.writeUInt32LE(3, 76);
      f.writeUInt32LE(4096, 360);
    });

    expect(await refusals(vdi, file)).toEqual(['differencing']);
  });

  it('says which block has which index that is not allocated', async () => {
    const facts = await inspected(
      vdi,
      bent((f) => f.writeUInt32LE(2, 512 + 8)),
    );

    expect(facts.findings).toMatchObject([{ message: 'VDI block 2: index 2, 2 blocks are allocated' }]);
  });

  it('whose map lies past the end says so of the map', async () => {
    const file = bent((f) => {
      f.writeUInt32LE(0x1fff_ff00, 384);
      f.writeUInt32LE(0x8000_0000, 344);
    });
    const { findings } = await inspected(vdi, file);

    expect(findings).toMatchObject([{ code: 'truncated', message: expect.stringContaining('VDI block map') }]);
    expect(findings[0]?.message).toContain(String(0x1fff_ff00 * 4 + 512));
  });

  it('has extra bytes in front of each block, which are not the guest’s', async () => {
    const extra = Buffer.alloc(1024, 0xaa);
    const head = Buffer.from(plain.file.subarray(0, 1024));
    head.writeUInt32LE(extra.length, 380);
    const file = Buffer.concat([head, extra, a, extra, b]);

    expect((await expanded(vdi, file)).equals(plain.raw)).toBe(true);
  });

  it('reads discarded blocks as zeros', async () => {
    const file = bent((f) => f.writeUInt32LE(0xffff_fffe, 512));

    expect((await expanded(vdi, file)).subarray(0, VDI_BLOCK).every((byte) => byte === 0)).toBe(true);
  });

  it('rounds an odd size up to a sector and says so', async () => {
    const facts = await inspected(vdi, vdiImage([a, b], { size: VDI_BLOCK + 100 }).file);

    expect(facts.virtualSize).toBe(VDI_BLOCK + 512);
    expect(facts.findings).toMatchObject([{ code: 'odd_length', severity: 'info' }]);
  });

  it('may lack what lies past the virtual size in its last block, and nothing else', async () => {
    const { file, raw } = vdiImage([a, b], { size: VDI_BLOCK + 4096 });
    const end = 1024 + VDI_BLOCK + 4096;

    expect((await expanded(vdi, file.subarray(0, end))).equals(raw)).toBe(true);
    expect(await refusals(vdi, file.subarray(0, end))).toEqual([]);
    expect(await refusals(vdi, file.subarray(0, end - 1))).toEqual(['truncated']);
  });

  it('costs at most two reads for 16 MiB', async () => {
    const { source, reads } = countingSource(vdiImage(Array.from({ length: 16 }, () => a)).file);
    const image = await vdi.open!(source);
    reads.length = 0;

    await image.readInto(0, new Uint8Array(16 * VDI_BLOCK), true);
    expect(reads).toHaveLength(2);
  });
});
