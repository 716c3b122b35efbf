import { view } from '../../engine/bytes.ts';
import { Corrupt } from '../../engine/errors.ts';

/** What the header of a zstd frame asks of its decoder, in bytes. */
export interface FrameNeeds {
  readonly window: number;
  /** Absent when the frame does not say how long its content is. */
  readonly contentSize?: number;
}

const DICTIONARY_BYTES = [0, 1, 2, 4] as const;

/** Reads a frame header (RFC 8878 section 3.1.1.1), so that nothing is allocated by its word alone. @throws Corrupt */
export function frameNeeds(frame: Uint8Array): FrameNeeds {
  const descriptor = frame[4] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const at = 5 + (single ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0);
  const contentSize = contentSizeAt(frame, at, descriptor >> 6, single);
  if (single) return { window: contentSize ?? 0, contentSize: contentSize ?? 0 };
  const exponent = (frame[5] ?? 0) >> 3;
  const base = 2 ** (10 + exponent);
  const window = base + (base / 8) * ((frame[5] ?? 0) & 7);
  return { window, ...(contentSize === undefined ? {} : { contentSize }) };
}

function contentSizeAt(frame: Uint8Array, at: number, flag: number, single: boolean): number | undefined {
  if (flag === 0 && !single) return undefined;
  const bytes = flag === 0 ? 1 : 2 ** flag;
  if (at + bytes > frame.length) throw new Corrupt(`zstd frame: ${frame.length} bytes end within its header`);
  const data = view(frame);
  if (flag === 0) return data.getUint8(at);
  if (flag === 1) return data.getUint16(at, true) + 256;
  return flag === 2 ? data.getUint32(at, true) : Number(data.getBigUint64(at, true));
}
