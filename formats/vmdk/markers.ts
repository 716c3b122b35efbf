import { isZero } from '#codecs/bytes.ts';
import { view } from '../engine/bytes.ts';
import { Corrupt, Truncated } from '../engine/errors.ts';
import { SECTOR } from './header.ts';

/** Types of metadata markers (Virtual Disk Format 5.0, "Stream-Optimized Compressed Sparse Extents"). */
export const MARKER = { endOfStream: 0, grainTable: 1, grainDirectory: 2, footer: 3 } as const;
export type MarkerType = (typeof MARKER)[keyof typeof MARKER];

/** Bytes of a grain marker in front of its data: u64 first sector in the guest, u32 size. */
export const GRAIN_MARKER_BYTES = 12;
/** Footer marker, footer, end-of-stream marker. */
export const TAIL_BYTES = 3 * SECTOR;

/** A metadata marker of one sector: how many sectors follow, and of what. */
export function encodeMarker(type: MarkerType, sectors: number): Uint8Array {
  const out = new Uint8Array(SECTOR);
  const data = view(out);
  data.setBigUint64(0, BigInt(sectors), true);
  data.setUint32(12, type, true);
  return out;
}

/** The footer of a stream's last three sectors. @throws Truncated when they are not marker, footer and end of stream */
export function footerOf(tail: Uint8Array): Uint8Array {
  const data = view(tail);
  const marked =
    data.getBigUint64(0, true) === 1n && data.getUint32(8, true) === 0 && data.getUint32(12, true) === MARKER.footer;
  if (!marked) throw new Truncated('VMDK: the header says that a footer follows, the object ends without one');
  if (!isZero(tail.subarray(2 * SECTOR, TAIL_BYTES))) {
    throw new Truncated('VMDK: the object does not end with an end-of-stream marker');
  }
  return tail.subarray(SECTOR, 2 * SECTOR);
}

/** The compressed bytes behind a grain marker. @throws Corrupt, Truncated */
export function grainData(stored: Uint8Array, lba: number, maxData: number): Uint8Array {
  if (stored.length < GRAIN_MARKER_BYTES)
    throw new Truncated(`VMDK grain at sector ${lba}: the object ends in its marker`);
  const data = view(stored);
  const own = data.getBigUint64(0, true);
  if (own !== BigInt(lba)) throw new Corrupt(`VMDK grain at sector ${lba}: its marker says sector ${own}`);
  const size = data.getUint32(8, true);
  if (size === 0 || size > maxData)
    throw new Corrupt(`VMDK grain at sector ${lba}: ${size} compressed bytes, at most ${maxData}`);
  if (GRAIN_MARKER_BYTES + size > stored.length) {
    throw new Truncated(`VMDK grain at sector ${lba}: ${size} compressed bytes reach past the end of the object`);
  }
  return stored.subarray(GRAIN_MARKER_BYTES, GRAIN_MARKER_BYTES + size);
}
