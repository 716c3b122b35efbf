import { LimitExceeded } from './errors.ts';
import type { DiskImage, FormatName } from './image.ts';
import type { ByteSource } from './source.ts';

/**
 * The object itself as a disk: what a reader of an ISO, kernel, ramdisk or docker archive gets, whose bytes are used as
 * they are. One allocated extent; zeros are not looked for.
 */
export function opaqueImage(format: FormatName, source: ByteSource): DiskImage {
  return {
    format,
    virtualSize: source.size,
    blockSize: 1,
    async *extents(start, end) {
      const stop = Math.min(end, source.size);
      if (start < stop) yield { start, length: stop - start, allocated: true, zero: false, compressed: false };
    },
    async readInto(offset, target) {
      if (offset + target.length > source.size) {
        throw new LimitExceeded(`read to ${offset + target.length} is past the virtual size of ${source.size} bytes`);
      }
      target.set(await source.read(offset, target.length));
    },
  };
}
