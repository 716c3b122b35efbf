import { view } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import type { Qcow2Header } from './header.ts';

/** Header extension types the engine knows (qcow2 specification, Header extensions). */
export const EXTENSION = {
  end: 0,
  backingFormat: 0xe2792aca,
  dataFile: 0x44415441,
  featureNames: 0x6803f857,
  bitmaps: 0x23852875,
  encryption: 0x0537be77,
} as const;

export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

/** An honest header has at most six; the walk is bounded all the same. */
const MAX_EXTENSIONS = 64;

/**
 * Header extensions in file order, without the end marker.
 * @param head the file's first cluster, or as much of it as was read (at least 64 KiB)
 * @throws Corrupt when an extension leaves the first cluster or reaches the backing file name
 */
export function parseExtensions(header: Qcow2Header, head: Uint8Array): Extension[] {
  const backing = Number(header.fields.backing_file_offset);
  const end = Math.min(head.length, header.clusterSize, backing > 0 ? backing : Number.MAX_SAFE_INTEGER);
  const data = view(head);
  const out: Extension[] = [];
  let at = header.headerLength;
  while (at + 8 <= end) {
    const type = data.getUint32(at);
    const length = data.getUint32(at + 4);
    if (type === EXTENSION.end) return out;
    if (length > end - at - 8)
      throw new Corrupt(`qcow2 header extension at ${at}: ${length} bytes leave the first cluster`);
    if (out.length === MAX_EXTENSIONS) throw new Corrupt(`qcow2 header: more than ${MAX_EXTENSIONS} extensions`);
    out.push({ type, data: head.subarray(at + 8, at + 8 + length) });
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return out;
}
