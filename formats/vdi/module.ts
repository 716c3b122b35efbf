/**
 * VDI: VirtualBox's disk format. Reads dynamic and static images; undo and differencing images need another file and
 * are refused. Facts section 7.
 */

import type { Examination, Layout } from '../engine/block-format.ts';
import { blockFormat } from '../engine/block-format.ts';
import type { BlockMap } from '../engine/block-map.ts';
import { HOLE } from '../engine/block-map.ts';
import { roundUp, view } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import { assertWithin, type ByteSource } from '../engine/source.ts';
import { TablePages } from '../engine/table-pages.ts';
import type { VdiHeader } from './header.ts';
import { checkHeader, HEADER_BYTES, parseHeader, SIGNATURE, SIGNATURE_AT } from './header.ts';
import { VDI } from './traits.ts';

const VERSION_1_1 = 0x0001_0001;
const IMAGE_TYPES: Readonly<Record<number, 'dynamic' | 'static' | 'undo' | 'differencing'>> = {
  1: 'dynamic',
  2: 'static',
  3: 'undo',
  4: 'differencing',
};
/** Map entries from here on are no index: never allocated, and discarded. */
const FIRST_SPECIAL = 0xffff_fffe;
const ENTRY_BYTES = 4;

export const vdi = blockFormat({
  ...VDI,
  safetyRules: ['differencing', 'unsupported_version', 'unsupported_type', 'truncated', 'corrupt'],
  probe: ({ head }) => head.length >= SIGNATURE_AT + 4 && view(head).getUint32(SIGNATURE_AT, true) === SIGNATURE,
  examine,
});

async function examine(source: ByteSource, exam: Examination): Promise<Layout | undefined> {
  assertWithin(source, 0, HEADER_BYTES, 'VDI header');
  const header = parseHeader(await source.read(0, HEADER_BYTES));
  // A size that is no multiple of 512 (VBoxManage convertfromraw) is rounded up: a disk has whole sectors.
  const virtualSize = roundUp(header.diskSize, 512);
  note(header, virtualSize, exam);
  if (exam.refusal !== undefined) return undefined;
  checkHeader(header, virtualSize);
  assertWithin(source, header.mapOffset, header.blocks * ENTRY_BYTES, 'VDI block map');
  const tables = new TablePages(source);
  return { map: blockMap(header, virtualSize, source.size, tables), source, tables };
}

function note(header: VdiHeader, virtualSize: number, exam: Examination): void {
  exam.details['creator'] = header.text;
  if (header.version !== VERSION_1_1) {
    exam.report('unsupported_version', `VDI version 0x${header.version.toString(16)} is not 0x10001`);
    return;
  }
  exam.virtualSize = virtualSize;
  exam.blockSize = header.blockSize;
  exam.details['block_size'] = header.blockSize;
  if (virtualSize !== header.diskSize) {
    exam.report('odd_length', `VDI disk size ${header.diskSize} is no multiple of 512: read as ${virtualSize}`);
  }
  const type = IMAGE_TYPES[header.imageType];
  if (type === undefined) {
    exam.report('unsupported_type', `VDI image type ${header.imageType} is neither 1 dynamic nor 2 static`);
    return;
  }
  exam.subformat = type;
  exam.details['disk_type'] = type;
  if (type === 'undo' || type === 'differencing') {
    exam.report('differencing', `the VDI is of type ${type}: it stands on another image`);
  } else if (header.hasParent) {
    exam.report('differencing', 'the VDI names a parent or linked image');
  }
}

function blockMap(header: VdiHeader, virtualSize: number, fileSize: number, tables: TablePages): BlockMap {
  const stride = header.blockSize + header.blockExtra;
  return {
    virtualSize,
    blockSize: header.blockSize,
    reserved: [],
    end: fileSize,
    async locate(first, count) {
      const at = header.mapOffset + first * ENTRY_BYTES;
      const entries = view(await tables.read(at, count * ENTRY_BYTES, 'VDI block map'));
      const places = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const index = entries.getUint32(i * ENTRY_BYTES, true);
        if (index >= FIRST_SPECIAL) places[i] = HOLE;
        else if (index < header.blocksAllocated) places[i] = header.dataOffset + index * stride + header.blockExtra;
        else
          throw new Corrupt(`VDI block ${first + i}: index ${index}, ${header.blocksAllocated} blocks are allocated`);
      }
      return places;
    },
  };
}
