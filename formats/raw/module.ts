/** Raw: the object is the disk. No structure of its own; partition tables in it are looked at by `inspect.ts`. */

import { finding } from '../engine/findings.ts';
import type { DiskImage, FormatModule } from '../engine/image.ts';
import { assertWithin, type ByteSource, fill } from '../engine/source.ts';
import { RAW } from './traits.ts';

const SECTOR = 512;

/** Opens bytes as a disk of exactly their length. */
export function rawImage(source: ByteSource): DiskImage {
  return {
    format: 'raw',
    virtualSize: source.size,
    blockSize: 1,
    async *extents(start, end) {
      if (end > start) yield { start, length: end - start, allocated: true, zero: false, compressed: false };
    },
    async readInto(offset, target) {
      assertWithin(source, offset, target.length, 'guest read');
      await fill(source, offset, target);
    },
  };
}

/** The raw format module: matches nothing, for it is what remains when nothing matches. */
export const raw: FormatModule = {
  ...RAW,
  safetyRules: ['empty', 'format_mismatch', 'multiple_formats'],
  probe: () => false,
  async inspect(source) {
    const odd = source.size % SECTOR !== 0;
    const message = `${source.size} bytes are no whole number of ${SECTOR}-byte sectors; a conversion pads with zeros`;
    return {
      format: 'raw',
      virtualSize: source.size,
      findings: odd ? [finding('odd_length', message)] : [],
      details: {},
    };
  },
  open: async (source) => rawImage(source),
};
