/**
 * VMDK: VMware's disk format. Reads the two kinds that are whole in one file, monolithicSparse and streamOptimized; every
 * kind that names other files or devices is told apart and refused. Facts section 4, Virtual Disk Format 5.0.
 */

import type { Examination, Layout } from '../engine/block-format.ts';
import { blockFormat } from '../engine/block-format.ts';
import { Corrupt, Truncated, Unsafe, Unsupported } from '../engine/errors.ts';
import type { ByteSource } from '../engine/source.ts';
import { assertWithin } from '../engine/source.ts';
import { TablePages } from '../engine/table-pages.ts';
import type { Descriptor } from './descriptor.ts';
import { looksLikeDescriptor, MAX_DESCRIPTOR, parseDescriptor } from './descriptor.ts';
import { checkDescriptor, noteDescriptor } from './facts.ts';
import { directoryEntries, grainMap } from './grains.ts';
import { DEFLATE, FLAG, hasMagic, KNOWN_FLAGS, parseHeader, SECTOR, type SparseHeader } from './header.ts';
import { footerOf, TAIL_BYTES } from './markers.ts';
import { VMDK } from './traits.ts';

export const vmdk = blockFormat({
  ...VMDK,
  safetyRules: [
    'vmdk_type',
    'vmdk_descriptor',
    'external_extent',
    'differencing',
    'footer_mismatch',
    'unclean_shutdown',
    'unknown_flags',
    'truncated',
    'corrupt',
  ],
  probe: ({ head }) => hasMagic(head) || looksLikeDescriptor(head),
  examine,
});

async function examine(source: ByteSource, exam: Examination): Promise<Layout | undefined> {
  const head = await source.read(0, Math.min(SECTOR, source.size));
  if (!hasMagic(head)) return examineDescriptorFile(source, exam);
  if (head.length < SECTOR) throw new Truncated(`VMDK: ${head.length} bytes do not hold a header`);
  const header = parseHeader(head);
  noteHeader(header, exam);
  const descriptor = await readDescriptor(source, header);
  noteDescriptor(descriptor, exam);
  checkDescriptor(descriptor, exam);
  checkSize(header, descriptor, exam);
  checkStorage(header, exam);
  const directoryOffset = header.directoryOffset ?? (await footerDirectory(source, header, exam));
  if (exam.refusal !== undefined) return undefined;
  return layoutOf(source, header, directoryOffset);
}

/** A descriptor alone: its data is elsewhere, whatever it says. */
async function examineDescriptorFile(source: ByteSource, exam: Examination): Promise<undefined> {
  const descriptor = parseDescriptor(await source.read(0, Math.min(source.size, MAX_DESCRIPTOR)));
  noteDescriptor(descriptor, exam);
  checkDescriptor(descriptor, exam);
  if (descriptor.extents.length > 0) {
    const size = descriptor.extents.reduce((sum, extent) => sum + extent.size, 0);
    if (Number.isSafeInteger(size)) exam.virtualSize = size;
  }
  exam.report('external_extent', 'the VMDK is a descriptor without data: its extents are other files');
  return undefined;
}

function noteHeader(header: SparseHeader, exam: Examination): void {
  exam.virtualSize = header.capacity;
  exam.blockSize = header.grainSize;
  exam.details['version'] = header.version;
  exam.details['grain_size'] = header.grainSize;
  exam.details['compressed'] = (header.flags & FLAG.compressed) !== 0;
  if (header.uncleanShutdown) exam.report('unclean_shutdown', 'the VMDK was not closed cleanly');
  const unknown = (header.flags & ~KNOWN_FLAGS) >>> 0;
  if (unknown !== 0) exam.report('unknown_flags', `VMDK header flags 0x${unknown.toString(16)} are not known`);
}

/** The embedded descriptor. @throws Unsafe when there is none (an extent of a split disk), Truncated */
async function readDescriptor(source: ByteSource, header: SparseHeader): Promise<Descriptor> {
  const { descriptorOffset, descriptorSize } = header;
  if (descriptorOffset === 0 || descriptorSize === 0) {
    throw new Unsafe('vmdk_type', 'the VMDK has no descriptor: it is an extent of a disk of several files');
  }
  if (descriptorOffset !== SECTOR || descriptorSize > MAX_DESCRIPTOR) {
    throw new Unsafe(
      'vmdk_descriptor',
      `the descriptor of ${descriptorSize} bytes at ${descriptorOffset} is out of place`,
    );
  }
  assertWithin(source, descriptorOffset, descriptorSize, 'VMDK descriptor');
  return parseDescriptor(await source.read(descriptorOffset, descriptorSize));
}

/** The extent line and the header speak of the same disk; a capacity rounded up to a grain is customary. */
function checkSize({ capacity, grainSize }: SparseHeader, { extents }: Descriptor, exam: Examination): void {
  const size = extents[0]?.size ?? capacity;
  if (Math.abs(size - capacity) >= grainSize) {
    exam.report('vmdk_descriptor', `the header says ${capacity} bytes, the extent line ${size}`);
  }
}

/** Compression, markers, algorithm and createType belong together; readers differ in which of them they go by. */
function checkStorage(header: SparseHeader, exam: Examination): void {
  const compressed = (header.flags & FLAG.compressed) !== 0;
  const markers = (header.flags & FLAG.markers) !== 0;
  if (
    compressed !== markers ||
    (header.compressAlgorithm === DEFLATE) !== compressed ||
    header.compressAlgorithm > DEFLATE
  ) {
    const flags = `0x${header.flags.toString(16)}`;
    throw new Unsupported(
      `VMDK: flags ${flags} and compression algorithm ${header.compressAlgorithm} do not go together`,
    );
  }
  const stream = exam.subformat?.toLowerCase() === 'streamoptimized';
  if (exam.refusal === undefined && stream !== compressed) {
    exam.report('vmdk_descriptor', `createType ${exam.subformat} and ${compressed ? 'compressed' : 'plain'} grains`);
  }
}

/** What a footer must repeat: otherwise a reader of the header alone was shown another disk (facts section 4.2). */
const REPEATED = [
  'version',
  'flags',
  'capacity',
  'grainSize',
  'descriptorOffset',
  'descriptorSize',
  'tableEntries',
  'compressAlgorithm',
] as const satisfies readonly (keyof SparseHeader)[];

async function footerDirectory(source: ByteSource, header: SparseHeader, exam: Examination): Promise<number> {
  assertWithin(source, source.size - TAIL_BYTES, TAIL_BYTES, 'VMDK footer');
  const bytes = footerOf(await source.read(source.size - TAIL_BYTES, TAIL_BYTES));
  if (!hasMagic(bytes)) throw new Corrupt('VMDK footer: no signature');
  const footer = parseHeader(bytes);
  for (const field of REPEATED) {
    if (footer[field] !== header[field]) {
      exam.report('footer_mismatch', `VMDK ${field}: ${header[field]} in the header, ${footer[field]} in the footer`);
    }
  }
  if (footer.directoryOffset === undefined) throw new Corrupt('VMDK footer: it does not name the grain directory');
  return footer.directoryOffset;
}

function layoutOf(source: ByteSource, header: SparseHeader, directoryOffset: number): Layout {
  const directoryBytes = directoryEntries(header) * 4;
  assertWithin(source, directoryOffset, directoryBytes, 'VMDK grain directory');
  const structures = { what: 'header and descriptor', start: 0, end: SECTOR + header.descriptorSize };
  if (directoryOffset < structures.end) {
    throw new Corrupt(`VMDK grain directory: offset ${directoryOffset} lies in the ${structures.what}`);
  }
  const reserved = [
    structures,
    { what: 'grain directory', start: directoryOffset, end: directoryOffset + directoryBytes },
  ];
  const tables = new TablePages(source);
  return { map: grainMap(header, directoryOffset, tables, reserved, source.size), source, tables };
}
