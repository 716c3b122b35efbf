import { capped, exact, view } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import { assertWithin, type ByteSource } from '../engine/source.ts';
import type { Qcow2Header } from './header.ts';

const FIXED = 40;
/** Enough for every image people make; a longer table is counted by the header and not listed. */
const MAX_TABLE_BYTES = 1024 * 1024;
const MAX_EXTRA = 1024;

/**
 * Names of the internal snapshots, in table order (facts section 3.5). They are listed, never read: the active L1 is
 * the content.
 * @throws Truncated, Corrupt, LimitExceeded
 */
export async function snapshotNames(source: ByteSource, header: Qcow2Header): Promise<string[]> {
  const count = header.fields.nb_snapshots;
  if (count === 0) return [];
  const offset = exact(header.fields.snapshots_offset, 'qcow2 header: snapshots_offset');
  assertWithin(source, offset, count * FIXED, 'qcow2 snapshot table');
  const table = await source.read(offset, Math.min(MAX_TABLE_BYTES, source.size - offset));
  const data = view(table);
  const names: string[] = [];
  for (let at = 0; names.length < count; ) {
    if (at + FIXED > table.length) throw new Corrupt(`qcow2 snapshot ${names.length}: the table leaves its bounds`);
    const idLength = data.getUint16(at + 12);
    const nameLength = data.getUint16(at + 14);
    const extra = capped(data.getUint32(at + 36), MAX_EXTRA, 'qcow2 snapshot extra data');
    const nameAt = at + FIXED + extra + idLength;
    if (nameAt + nameLength > table.length) {
      throw new Corrupt(`qcow2 snapshot ${names.length}: the name leaves the table`);
    }
    names.push(new TextDecoder().decode(table.subarray(nameAt, nameAt + nameLength)));
    at = Math.ceil((nameAt + nameLength) / 8) * 8;
  }
  return names;
}
