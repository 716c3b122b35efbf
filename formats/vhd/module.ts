/**
 * VHD: the disk format of Virtual PC, Hyper-V generation 1, Azure and XenServer. Reads fixed and dynamic disks; a
 * differencing disk needs its parent's file and is refused. Facts section 5.
 */

import type { Examination, Layout } from '../engine/block-format.ts';
import { blockFormat } from '../engine/block-format.ts';
import { exact } from '../engine/bytes.ts';
import { Corrupt, Truncated } from '../engine/errors.ts';
import { assertWithin, type ByteSource } from '../engine/source.ts';
import { TablePages } from '../engine/table-pages.ts';
import { dynamicMap, fixedMap, tableBytes } from './block-table.ts';
import { DYNAMIC_HEADER_BYTES, parseDynamicHeader } from './dynamic-header.ts';
import type { Footer } from './footer.ts';
import {
  DISK_TYPES,
  FOOTER_BYTES,
  hasCookie,
  MAX_BYTES,
  parseFooter,
  SECTOR,
  VERSION,
  virtualSizeOf,
} from './footer.ts';
import { VHD } from './traits.ts';

/** Places of the footer before the end: the rule, and very old writers that left out the last byte. */
const FOOTER_LENGTHS = [FOOTER_BYTES, FOOTER_BYTES - 1] as const;

export const vhd = blockFormat({
  ...VHD,
  safetyRules: [
    'differencing',
    'bad_checksum',
    'footer_mismatch',
    'unsupported_version',
    'unsupported_type',
    'saved_state',
    'data_beyond',
    'truncated',
    'corrupt',
  ],
  probe: ({ head, tail }) => hasCookie(head, 0) || FOOTER_LENGTHS.some((n) => hasCookie(tail, tail.length - n)),
  examine,
});

/** The footer, where it begins, and the copy at the start that dynamic and differencing disks have. */
interface Footers {
  readonly footer: Footer;
  readonly at: number;
  readonly copy: Footer | undefined;
}

async function examine(source: ByteSource, exam: Examination): Promise<Layout | undefined> {
  const { footer, at, copy } = await readFooters(source, exam);
  noteFooter(footer, exam);
  const type = DISK_TYPES[footer.diskType];
  if (type === undefined) {
    exam.report('unsupported_type', `VHD disk type ${footer.diskType} is none of 2 fixed, 3 dynamic, 4 differencing`);
    return undefined;
  }
  exam.subformat = type;
  exam.details['disk_type'] = type;
  checkAgreement(footer, copy, exam);
  if (type === 'differencing') {
    exam.report('differencing', 'the VHD is a differencing disk: it stands on a parent in another file');
    return undefined;
  }
  const virtualSize = checkedSize(footer);
  const tables = new TablePages(source);
  if (type === 'dynamic') return { map: await dynamicLayout(source, exam, footer, at, tables), source, tables };
  if (virtualSize > at) throw new Truncated(`fixed VHD: ${at} bytes of data, the footer says ${virtualSize}`);
  if (virtualSize < at)
    exam.report('data_beyond', `fixed VHD: ${at} bytes of data, of which the footer makes ${virtualSize} the disk`);
  return { map: fixedMap(virtualSize, at), source, tables };
}

async function readFooters(source: ByteSource, exam: Examination): Promise<Footers> {
  const tail = await source.read(Math.max(0, source.size - FOOTER_BYTES), Math.min(FOOTER_BYTES, source.size));
  const length = FOOTER_LENGTHS.find((n) => hasCookie(tail, tail.length - n));
  const head = await source.read(0, Math.min(FOOTER_BYTES, source.size));
  const copy = head.length === FOOTER_BYTES && hasCookie(head, 0) ? parseFooter(head) : undefined;
  if (length === undefined) {
    if (copy !== undefined) noteFooter(copy, exam);
    throw new Truncated(`VHD: no footer in the last ${FOOTER_BYTES} of ${source.size} bytes`);
  }
  return { footer: parseFooter(tail.subarray(tail.length - length)), at: source.size - length, copy };
}

function noteFooter(footer: Footer, exam: Examination): void {
  exam.virtualSize = virtualSizeOf(footer);
  exam.details['creator'] = footer.creator.replaceAll('\0', '');
  exam.details['current_size'] = footer.currentSize;
  exam.details['geometry'] = `${footer.cylinders}/${footer.heads}/${footer.sectorsPerTrack}`;
  if (!footer.checksumValid) exam.report('bad_checksum', 'the checksum of the VHD footer is wrong');
  if (footer.version !== VERSION) {
    exam.report('unsupported_version', `VHD version 0x${footer.version.toString(16)} is not 0x10000`);
  }
  if (footer.savedState) exam.report('saved_state', 'the VHD belongs to a suspended machine');
}

/** A header-only reader and a footer-only reader must see the same disk. */
function checkAgreement(footer: Footer, copy: Footer | undefined, exam: Examination): void {
  const fixed = DISK_TYPES[footer.diskType] === 'fixed';
  if (copy === undefined) {
    if (!fixed) exam.report('footer_mismatch', 'the VHD has no copy of its footer at the start');
    return;
  }
  if (fixed) {
    exam.report('footer_mismatch', 'a fixed VHD whose first sector is itself a VHD footer');
    return;
  }
  if (!copy.checksumValid) exam.report('bad_checksum', 'the checksum of the footer copy at the start is wrong');
  for (const field of [
    'currentSize',
    'diskType',
    'dataOffset',
    'creator',
    'cylinders',
    'heads',
    'sectorsPerTrack',
  ] as const) {
    if (copy[field] !== footer[field]) {
      exam.report('footer_mismatch', `VHD ${field}: ${copy[field]} at the start, ${footer[field]} in the footer`);
    }
  }
}

function checkedSize(footer: Footer): number {
  const size = virtualSizeOf(footer);
  if (size === 0 || size % SECTOR !== 0) throw new Corrupt(`VHD size: ${size} is not a positive multiple of ${SECTOR}`);
  if (size > MAX_BYTES) throw new Corrupt(`VHD size: ${size} is above the format's limit of ${MAX_BYTES}`);
  return size;
}

async function dynamicLayout(
  source: ByteSource,
  exam: Examination,
  footer: Footer,
  end: number,
  tables: TablePages,
): Promise<Layout['map']> {
  const virtualSize = virtualSizeOf(footer);
  const headerAt = exact(footer.dataOffset, 'VHD dynamic header offset');
  assertWithin({ size: end }, headerAt, DYNAMIC_HEADER_BYTES, 'VHD dynamic header');
  const header = parseDynamicHeader(await source.read(headerAt, DYNAMIC_HEADER_BYTES));
  exam.blockSize = header.blockSize;
  exam.details['block_size'] = header.blockSize;
  if (!header.checksumValid) exam.report('bad_checksum', 'the checksum of the VHD dynamic header is wrong');
  if (header.maxTableEntries * header.blockSize < virtualSize) {
    throw new Corrupt(
      `VHD table: ${header.maxTableEntries} blocks of ${header.blockSize} bytes are less than ${virtualSize}`,
    );
  }
  const bytes = tableBytes(header);
  assertWithin({ size: end }, header.tableOffset, header.maxTableEntries * 4, 'VHD block allocation table');
  const reserved = [
    { what: 'footer copy', start: 0, end: FOOTER_BYTES },
    { what: 'dynamic header', start: headerAt, end: headerAt + DYNAMIC_HEADER_BYTES },
    { what: 'block allocation table', start: header.tableOffset, end: header.tableOffset + bytes },
  ];
  return dynamicMap(header, virtualSize, tables, reserved, end);
}
