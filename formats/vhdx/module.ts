/**
 * VHDX: Hyper-V's disk format. Reads fixed and dynamic disks with sectors of 512 and 4096 bytes; writes still waiting in
 * the log are applied in memory. A disk with a parent is refused. Facts section 6, [MS-VHDX].
 */

import type { Examination, Layout } from '../engine/block-format.ts';
import { blockFormat } from '../engine/block-format.ts';
import { Truncated } from '../engine/errors.ts';
import { hasText } from '../engine/match.ts';
import type { ByteSource } from '../engine/source.ts';
import { assertWithin } from '../engine/source.ts';
import { TablePages } from '../engine/table-pages.ts';
import { blockMap, tableBytes } from './block-table.ts';
import type { VhdxHeader } from './header.ts';
import { FILE_SIGNATURE, MiB, readCreator, readHeader } from './header.ts';
import { readLog } from './log.ts';
import { readMetadata, type VhdxMetadata } from './metadata.ts';
import { overlaySource } from './overlay.ts';
import type { Region } from './regions.ts';
import { assertAligned, assertDisjoint, readRegions } from './regions.ts';
import { VHDX } from './traits.ts';

export const vhdx = blockFormat({
  ...VHDX,
  safetyRules: ['differencing', 'unknown_features', 'log_replayed', 'truncated', 'corrupt'],
  probe: ({ head }) => hasText(head, 0, FILE_SIGNATURE),
  examine,
});

async function examine(file: ByteSource, exam: Examination): Promise<Layout | undefined> {
  if (file.size < MiB) throw new Truncated(`VHDX: ${file.size} bytes do not hold the headers, which take ${MiB}`);
  exam.details['creator'] = await readCreator(file);
  const header = await readHeader(file);
  const log = logRegion(header);
  if (log !== undefined) assertAligned(log);
  const source = await replayed(file, header, exam);
  const regions = await readRegions(source);
  const structures = [{ what: 'headers', start: 0, end: MiB }, ...(log ? [log] : []), regions.table, regions.metadata];
  assertDisjoint(structures);
  const metadata = await readMetadata(source, regions.metadata);
  note(metadata, exam);
  for (const guid of [...regions.unknownRequired, ...metadata.unknownRequired]) {
    exam.report('unknown_features', `the VHDX requires a feature that is not known: ${guid}`);
  }
  if (exam.refusal !== undefined) return undefined;
  assertWithin(
    { size: regions.table.end - regions.table.start },
    0,
    tableBytes(metadata),
    'VHDX block allocation table',
  );
  const tables = new TablePages(source);
  return { map: blockMap(metadata, regions.table, tables, structures, source.size), source, tables };
}

function logRegion({ logOffset, logLength }: VhdxHeader): Region | undefined {
  return logLength === 0 ? undefined : { what: 'log', start: logOffset, end: logOffset + logLength };
}

async function replayed(file: ByteSource, header: VhdxHeader, exam: Examination): Promise<ByteSource> {
  if (header.logGuid === undefined) return file;
  const patches = await readLog(file, header, header.logGuid);
  exam.report('log_replayed', 'the VHDX was not closed cleanly: the writes in its log are applied while reading');
  return overlaySource(file, patches);
}

function note(metadata: VhdxMetadata, exam: Examination): void {
  const type = metadata.hasParent ? 'differencing' : metadata.fixed ? 'fixed' : 'dynamic';
  exam.virtualSize = metadata.virtualSize;
  exam.blockSize = metadata.blockSize;
  exam.subformat = type;
  exam.details['disk_type'] = type;
  exam.details['block_size'] = metadata.blockSize;
  exam.details['logical_sector_size'] = metadata.logicalSectorSize;
  exam.details['physical_sector_size'] = metadata.physicalSectorSize;
  if (metadata.hasParent)
    exam.report('differencing', 'the VHDX is a differencing disk: it stands on a parent in another file');
}
