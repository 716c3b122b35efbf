/** ploop, the Parallels expandable image, in both generations. Facts section 8. */

import type { Examination, Layout } from '../engine/block-format.ts';
import { blockFormat } from '../engine/block-format.ts';
import type { BlockMap } from '../engine/block-map.ts';
import { HOLE } from '../engine/block-map.ts';
import { view } from '../engine/bytes.ts';
import { assertWithin, type ByteSource } from '../engine/source.ts';
import { TablePages } from '../engine/table-pages.ts';
import type { PloopHeader } from './header.ts';
import { generationOf, HEADER_BYTES, parseHeader, SECTOR } from './header.ts';
import { PLOOP } from './traits.ts';

const VERSION = 2;
const ENTRY_BYTES = 4;

export const ploop = blockFormat({
  ...PLOOP,
  safetyRules: ['in_use', 'unsupported_version', 'truncated', 'corrupt'],
  probe: ({ head }) => generationOf(head) !== undefined,
  examine,
});

async function examine(source: ByteSource, exam: Examination): Promise<Layout | undefined> {
  assertWithin(source, 0, HEADER_BYTES, 'ploop header');
  const header = parseHeader(await source.read(0, HEADER_BYTES));
  exam.virtualSize = header.virtualSize;
  exam.blockSize = header.clusterSize;
  exam.subformat = `v${header.generation}`;
  exam.details['version'] = header.generation;
  exam.details['block_size'] = header.clusterSize;
  if (header.version !== VERSION) {
    exam.report('unsupported_version', `ploop header version ${header.version} is not ${VERSION}`);
    return undefined;
  }
  if (!header.closed) exam.report('in_use', 'the ploop image is still marked in use: its contents may be torn');
  assertWithin(source, HEADER_BYTES, header.tableEntries * ENTRY_BYTES, 'ploop block allocation table');
  const tables = new TablePages(source);
  return { map: blockMap(header, source.size, tables), source, tables };
}

function blockMap(header: PloopHeader, fileSize: number, tables: TablePages): BlockMap {
  const unit = header.generation === 1 ? SECTOR : header.clusterSize;
  return {
    virtualSize: header.virtualSize,
    blockSize: header.clusterSize,
    reserved: [{ what: 'header and table', start: 0, end: header.dataStart }],
    end: fileSize,
    async locate(first, count) {
      const at = HEADER_BYTES + first * ENTRY_BYTES;
      const entries = view(await tables.read(at, count * ENTRY_BYTES, 'ploop block allocation table'));
      const places = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const entry = entries.getUint32(i * ENTRY_BYTES, true);
        places[i] = entry === 0 ? HOLE : entry * unit;
      }
      return places;
    },
  };
}
