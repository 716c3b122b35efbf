/**
 * qcow2, versions 2 and 3 (qcow2 specification; facts section 3). The folder owns reading (header, extensions, tables,
 * clusters) and the layout of files that conversions write (`writer.ts`). It never follows a name found inside an image.
 */

import { exact, view } from '../engine/bytes.ts';
import { batches } from '../engine/coalesce.ts';
import { Unsafe } from '../engine/errors.ts';
import { type Finding, finding } from '../engine/findings.ts';
import type { FormatFacts, FormatModule, ProbeWindow } from '../engine/image.ts';
import type { ByteSource } from '../engine/source.ts';
import { EXTENSION, type Extension, parseExtensions } from './extensions.ts';
import {
  checkHeader,
  compressionOf,
  INCOMPATIBLE,
  LAZY_REFCOUNTS,
  MAGIC,
  parseHeader,
  type Qcow2Header,
  V2_LENGTH,
} from './header.ts';
import { Mapping } from './mapping.ts';
import { Qcow2Image } from './reader.ts';
import { snapshotNames } from './snapshots.ts';
import { QCOW2 } from './traits.ts';

/** Header and extensions of honest images end long before; clusters may be 2 MiB. */
const HEAD_BYTES = 64 * 1024;
/** An inspection looks at every L2 table only when that costs at most this many reads and bytes. */
const SURVEY_READS = 64;
const SURVEY_BYTES = 16 * 1024 * 1024;

function probe({ head }: ProbeWindow): boolean {
  // Version 1 is another format (qcow1, named by its own module); versions above 3 are refused here.
  return head.length >= 8 && view(head).getUint32(0) === MAGIC && view(head).getUint32(4) !== 1;
}

/** Findings that the header alone shows. */
function headerFindings(header: Qcow2Header, extensions: readonly Extension[]): Finding[] {
  const { fields, incompatible, unknownIncompatible } = header;
  const bit = (mask: bigint): boolean => (incompatible & mask) !== 0n;
  const backingFormat = extensions.some((extension) => extension.type === EXTENSION.backingFormat);
  const rows: readonly [boolean, Finding['code'], string][] = [
    [
      fields.backing_file_offset !== 0n || fields.backing_file_size !== 0 || backingFormat,
      'backing_file',
      'qcow2 header names a backing file',
    ],
    [bit(INCOMPATIBLE.dataFile), 'data_file', 'qcow2 header: guest data lies in an external file'],
    [
      unknownIncompatible !== 0n,
      'unknown_features',
      `qcow2 header: unknown incompatible features 0x${unknownIncompatible.toString(16)}`,
    ],
    [bit(INCOMPATIBLE.corrupt), 'corrupt_bit', 'qcow2 header: the image is marked as corrupt'],
    [
      fields.crypt_method !== 0,
      'encrypted',
      `qcow2 header: guest data is encrypted (crypt_method ${fields.crypt_method})`,
    ],
    [bit(INCOMPATIBLE.dirty), 'dirty_bit', 'qcow2 header: refcounts may be stale; reading does not use them'],
    [
      fields.nb_snapshots > 0,
      'snapshots',
      `${fields.nb_snapshots} internal snapshots; a conversion keeps the active state only`,
    ],
  ];
  return rows.filter(([applies]) => applies).map(([, code, message]) => finding(code, message));
}

async function readHeader(
  source: ByteSource,
): Promise<{ header: Qcow2Header; findings: Finding[]; extensions: Extension[] }> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.size));
  const header = parseHeader(head);
  // What an unknown feature makes of the rest is unknown: its other fields are not judged.
  const extensions = header.unknownIncompatible === 0n ? parseExtensions(header, head) : [];
  return { header, findings: headerFindings(header, extensions), extensions };
}

async function inspect(source: ByteSource, { head }: ProbeWindow): Promise<FormatFacts> {
  const version = head.length >= V2_LENGTH ? view(head).getUint32(4) : 0;
  if (version > 3) return unknownVersion(version, head);
  const { header, findings, extensions } = await readHeader(source);
  const refused = findings.some((found) => found.severity === 'refuse');
  if (!refused) checkHeader(header, source.size);
  const allocatedBytes = refused ? undefined : await survey(source, header);
  return {
    format: 'qcow2',
    virtualSize: header.virtualSize,
    ...(allocatedBytes === undefined ? {} : { allocatedBytes }),
    blockSize: header.clusterSize,
    subformat: `v${header.version}`,
    findings,
    details: {
      version: header.version,
      compat: header.version === 2 ? '0.10' : '1.1',
      cluster_size: header.clusterSize,
      compression_type: compressionOf(header) === 'zstd' ? 'zstd' : 'zlib',
      refcount_bits: header.refcountBits,
      extended_l2: header.l2EntrySize === 16,
      lazy_refcounts: (header.compatible & LAZY_REFCOUNTS) !== 0n,
      dirty: (header.incompatible & INCOMPATIBLE.dirty) !== 0n,
      corrupt: (header.incompatible & INCOMPATIBLE.corrupt) !== 0n,
      encrypted: header.fields.crypt_method !== 0,
      crypt_method: header.fields.crypt_method,
      backing_file: findings.some((found) => found.code === 'backing_file'),
      data_file: (header.incompatible & INCOMPATIBLE.dataFile) !== 0n,
      incompatible_features: Number(header.incompatible & 0xffff_ffffn),
      compatible_features: Number(header.compatible & 0xffff_ffffn),
      autoclear_features: Number(header.autoclear & 0xffff_ffffn),
      snapshots: refused ? [] : await snapshotNames(source, header),
      bitmaps: bitmapCount(extensions),
    },
  };
}

/** A version that is not known: nothing but the size, where all versions so far have it, is taken from it. */
function unknownVersion(version: number, head: Uint8Array): FormatFacts {
  return {
    format: 'qcow2',
    virtualSize: exact(view(head).getBigUint64(24), 'qcow2 header: size'),
    findings: [finding('unsupported_format', `qcow2 header: version ${version}, only 2 and 3 are read`)],
    details: { version },
  };
}

function bitmapCount(extensions: readonly Extension[]): number {
  const bitmaps = extensions.find((extension) => extension.type === EXTENSION.bitmaps);
  return bitmaps === undefined || bitmaps.data.length < 4 ? 0 : view(bitmaps.data).getUint32(0);
}

/**
 * Walks every mapping when that is cheap: proves that all of it lies in the file and counts the guest bytes with data.
 * @returns undefined when the image has too many tables for that
 */
async function survey(source: ByteSource, header: Qcow2Header): Promise<number | undefined> {
  const mapping = new Mapping(source, header);
  const tables: { offset: number; length: number }[] = [];
  for await (const offset of mapping.tables()) {
    if (tables.length * header.clusterSize > SURVEY_BYTES) return undefined;
    tables.push({ offset, length: header.clusterSize });
  }
  const reads = batches(tables, { maxGap: source.gapBytes ?? SURVEY_BYTES });
  if (reads.length > SURVEY_READS || reads.reduce((sum, read) => sum + read.length, 0) > SURVEY_BYTES) return undefined;
  let allocated = 0;
  for await (const extent of new Qcow2Image(source, header).extents(0, header.virtualSize)) {
    if (!extent.zero) allocated += extent.length;
  }
  return allocated;
}

/** The qcow2 format module. */
export const qcow2: FormatModule = {
  ...QCOW2,
  safetyRules: ['backing_file', 'data_file', 'unknown_features', 'corrupt_bit', 'encrypted', 'truncated', 'corrupt'],
  probe,
  inspect,
  async open(source) {
    const { header, findings } = await readHeader(source);
    const refused = findings.find((found) => found.severity === 'refuse');
    if (refused !== undefined) throw new Unsafe(refused.code, refused.message);
    checkHeader(header, source.size);
    return new Qcow2Image(source, header);
  },
};
