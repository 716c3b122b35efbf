import { describe, expect, it } from 'vitest';
import { filesystemOf } from '../../../../../formats/engine/filesystem/filesystem.ts';

const at = (offset: number, text: string, size = 4096) => {
  const bytes = Buffer.alloc(size);
  bytes.write(text, offset, 'latin1');
  return bytes;
};

describe('a filesystem', () => {
  function ext(compat: number, incompat: number): Buffer {
    const bytes = Buffer.alloc(4096);
    bytes.writeUInt16LE(0xef53, 1080);
    bytes.writeUInt32LE(compat, 1024 + 92);
    bytes.writeUInt32LE(incompat, 1024 + 96);
    bytes.write('a-label', 1024 + 120);
    return bytes;
  }
  const boot = (offset: number, text: string) => {
    const bytes = at(offset, text);
    bytes.writeUInt16BE(0x55aa, 510);
    return bytes;
  };
  it.each([
    ['ext2', ext(0, 0)],
    ['ext3', ext(4, 0)],
    ['ext4', ext(4, 0x40)],
    ['xfs', at(0, 'XFSB')],
    ['btrfs', at(65_536 + 64, '_BHRfS_M', 68 * 1024)],
    ['swap', at(4086, 'SWAPSPACE2', 8192)],
    ['ntfs', boot(3, 'NTFS    ')],
    ['exfat', boot(3, 'EXFAT   ')],
    [undefined, Buffer.alloc(68 * 1024)],
    [undefined, Buffer.alloc(10)],
  ])('%s', (name, bytes) => {
    expect(filesystemOf(bytes)?.filesystem).toBe(name);
  });

  it('is found at an offset of a disk, with label and UUID', () => {
    const disk = Buffer.concat([Buffer.alloc(512), ext(4, 0x40)]);

    expect(filesystemOf(disk.subarray(512))).toEqual({
      filesystem: 'ext4',
      label: 'a-label',
      uuid: '00000000-0000-0000-0000-000000000000',
    });
    expect(filesystemOf(disk)).toBeUndefined();
    expect(filesystemOf(disk.subarray(disk.length))).toBeUndefined();
  });
});
