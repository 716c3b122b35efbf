import { inflateUpTo } from '#codecs/inflate.ts';
import type { BlockCodec, BlockMap, Reserved } from '../engine/block-map.ts';
import { HOLE, ZERO } from '../engine/block-map.ts';
import { view } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import type { TablePages } from '../engine/table-pages.ts';
import { FLAG, SECTOR, type SparseHeader } from './header.ts';
import { GRAIN_MARKER_BYTES, grainData } from './markers.ts';

const ENTRY_BYTES = 4;
/** Table entry of a grain of zeros, in files that have the flag for it. */
const ZEROED = 1;

/** Entries of the grain directory: grain tables that the capacity needs. */
export function directoryEntries({ capacity, grainSize, tableEntries }: SparseHeader): number {
  return Math.ceil(capacity / (grainSize * tableEntries));
}

/** Where the grains are: directory, tables, grains; both levels are read lazily. */
export function grainMap(
  header: SparseHeader,
  directoryOffset: number,
  tables: TablePages,
  reserved: readonly Reserved[],
  end: number,
): BlockMap {
  const zeroed = (header.flags & FLAG.zeroedGrain) !== 0;
  const codec = (header.flags & FLAG.compressed) === 0 ? {} : { codec: grainCodec(header) };
  const placeOf = (sector: number): number => {
    if (sector === 0) return HOLE;
    return zeroed && sector === ZEROED ? ZERO : sector * SECTOR;
  };
  return {
    virtualSize: header.capacity,
    blockSize: header.grainSize,
    reserved,
    end,
    ...codec,
    async locate(first, count) {
      const places = new Float64Array(count).fill(HOLE);
      const per = header.tableEntries;
      for (let done = 0; done < count; ) {
        const table = Math.floor((first + done) / per);
        const from = first + done - table * per;
        const run = Math.min(per - from, count - done);
        const at = await tableOffset(tables, directoryOffset, table, reserved);
        if (at !== undefined) {
          const entries = view(
            await tables.read(at + from * ENTRY_BYTES, run * ENTRY_BYTES, `VMDK grain table ${table}`),
          );
          for (let i = 0; i < run; i++) places[done + i] = placeOf(entries.getUint32(i * ENTRY_BYTES, true));
        }
        done += run;
      }
      return places;
    },
  };
}

/** File offset of a grain table; undefined when none of its grains is there. @throws Truncated, Corrupt */
async function tableOffset(
  tables: TablePages,
  directoryOffset: number,
  table: number,
  reserved: readonly Reserved[],
): Promise<number | undefined> {
  const entry = await tables.read(directoryOffset + table * ENTRY_BYTES, ENTRY_BYTES, 'VMDK grain directory');
  const at = view(entry).getUint32(0, true) * SECTOR;
  if (at === 0) return undefined;
  for (const { what, start, end } of reserved) {
    if (at >= start && at < end) throw new Corrupt(`VMDK grain table ${table}: offset ${at} lies in the ${what}`);
  }
  return at;
}

/** Grains of a streamOptimized extent: a marker, then a zlib stream (RFC 1950) of the grain. */
function grainCodec({ grainSize, capacity }: SparseHeader): BlockCodec {
  // What deflate can add to bytes it cannot compress, and room for writers that flush often.
  const maxData = grainSize + Math.ceil(grainSize / 1000) + 64 * 1024;
  return {
    maxStored: GRAIN_MARKER_BYTES + maxData,
    minStored: SECTOR,
    stream: (block, stored) => grainData(stored, (block * grainSize) / SECTOR, maxData),
    decode(block, stored, room) {
      const lba = (block * grainSize) / SECTOR;
      const data = grainData(stored, lba, maxData);
      const grain = inflate(data, room, lba);
      // The last grain may be stored whole, or only as far as the disk goes.
      const needed = Math.min(grainSize, capacity - block * grainSize);
      if (grain.length < needed) {
        throw new Corrupt(`VMDK grain at sector ${lba}: inflates to ${grain.length} bytes, ${needed} are needed`);
      }
      return grain;
    },
  };
}

function inflate(data: Uint8Array, grain: Uint8Array, lba: number): Uint8Array {
  try {
    return grain.subarray(0, inflateUpTo('zlib', data, grain));
  } catch (error) {
    throw new Corrupt(`VMDK grain at sector ${lba}: ${error instanceof Error ? error.message : 'not a zlib stream'}`, {
      cause: error,
    });
  }
}
