/** The header's rules one by one: in whole images another rule often refuses first, under the same code. */
import { describe, expect, it } from 'vitest';
import { checkHeader, HEADER_BYTES, parseHeader, type VdiHeader } from '../../../../formats/vdi/header.ts';

const MIB = 1024 * 1024;
const HEADER: VdiHeader = {
  version: 0x10001,
  imageType: 1,
  mapOffset: 512,
  dataOffset: 1024,
  sectorSize: 512,
  diskSize: 3 * 4096,
  blockSize: 4096,
  blockExtra: 0,
  blocks: 3,
  blocksAllocated: 2,
  hasParent: false,
  text: '',
};
const check = (change: Partial<VdiHeader>, virtualSize = 4096) => checkHeader({ ...HEADER, ...change }, virtualSize);

describe('a header of VDI', () => {
  it.each<[string, Partial<VdiHeader>, number?]>([
    ['as VirtualBox writes it', { blockSize: MIB }, 3 * MIB],
    ['the smallest block', {}],
    ['the largest block', { blockSize: 256 * MIB }],
    ['extra bytes of a sector', { blockExtra: 512 }],
    ['as many extra bytes as a block has', { blockExtra: 4096 }],
    ['a map in the first sector after the header', { mapOffset: 512, dataOffset: 1024 }],
    ['a map that ends where data begin', { blocks: 128 }],
    ['all blocks allocated', { blocksAllocated: 3 }],
    ['blocks for the size, and no more', {}, 3 * 4096],
  ])('may have %s', (_what, change, virtualSize) => {
    expect(() => check(change, virtualSize)).not.toThrow();
  });

  it.each<[string, RegExp, Partial<VdiHeader>, number?]>([
    ['sectors of 4096', /sector size: 4096/, { sectorSize: 4096 }],
    ['a block below 4 KiB', /block size: 2048/, { blockSize: 2048 }],
    ['a block above 256 MiB', /block size: 536870912/, { blockSize: 512 * MIB }],
    ['a block that is no power of two', /block size: 4608/, { blockSize: 4608 }],
    ['extra bytes that are no whole sectors', /extra bytes per block: 100/, { blockExtra: 100 }],
    ['more extra bytes than a block has', /extra bytes per block: 4608/, { blockExtra: 4608 }],
    ['a map at an odd place', /map offset: 513/, { mapOffset: 513, dataOffset: 2048 }],
    ['a map in the header', /map offset: 0/, { mapOffset: 0 }],
    ['data at an odd place', /data offset: 1025 is not/, { dataOffset: 1025 }],
    ['data before the map ends', /data offset: 1024 lies before/, { blocks: 129 }],
    ['no size', /disk size: 0/, {}, 0],
    ['fewer blocks than the size takes', /blocks: 3 of 4096/, {}, 3 * 4096 + 512],
    ['more blocks allocated than there are', /blocks allocated: 4/, { blocksAllocated: 4 }],
  ])('may not have %s', (_what, message, change, virtualSize) => {
    expect(() => check(change, virtualSize)).toThrow(message);
  });

  it.each([
    ['<<< Oracle VM VirtualBox Disk Image >>>\n', 'Oracle VM VirtualBox Disk Image'],
    ['<<<abc>>>', 'abc'],
    ['<  two blanks  >  \n', 'two blanks'],
    ['<<<  a  >>> \n', 'a'],
    ['one < two > three', 'one < two > three'],
    ['ends\0<<< what is behind >>>', 'ends'],
    ['', ''],
  ])('tells its writer: %j is %j', (text, writer) => {
    const bytes = new Uint8Array(HEADER_BYTES);
    bytes.set(Buffer.from(text, 'latin1'));

    expect(parseHeader(bytes).text).toBe(writer);
  });
});
