import { decode, exact } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import { latin1 } from '../engine/text.ts';

export const SIGNATURE = 0xbeda_107f;
export const SIGNATURE_AT = 64;
/** The preheader and the header of version 1.1 up to the parent's UUID. */
export const HEADER_BYTES = 456;

/** VirtualBox disk image header 1.1, little endian. */
const HEADER = {
  signature: [SIGNATURE_AT, 'u32'],
  version: [68, 'u32'],
  headerSize: [72, 'u32'],
  imageType: [76, 'u32'],
  flags: [80, 'u32'],
  mapOffset: [340, 'u32'],
  dataOffset: [344, 'u32'],
  sectorSize: [360, 'u32'],
  diskSize: [368, 'u64'],
  blockSize: [376, 'u32'],
  blockExtra: [380, 'u32'],
  blocks: [384, 'u32'],
  blocksAllocated: [388, 'u32'],
} as const;

const LINK_UUID_AT = 424;
const PARENT_UUID_AT = 440;

export interface VdiHeader {
  readonly version: number;
  readonly imageType: number;
  /** File offset of the block map in bytes. */
  readonly mapOffset: number;
  /** File offset of block 0 of the data area in bytes. */
  readonly dataOffset: number;
  readonly sectorSize: number;
  /** Bytes, as stored: not always a multiple of 512. */
  readonly diskSize: number;
  readonly blockSize: number;
  /** Bytes in front of each block's data. */
  readonly blockExtra: number;
  readonly blocks: number;
  readonly blocksAllocated: number;
  /** A link or parent UUID is set. */
  readonly hasParent: boolean;
  /** What wrote it, from the free text in front ("Oracle VM VirtualBox Disk Image"). */
  readonly text: string;
}

/** @throws Corrupt when the size is not below 2^53 */
export function parseHeader(bytes: Uint8Array): VdiHeader {
  const raw = decode(HEADER, bytes, 'LE');
  const parents = bytes.subarray(LINK_UUID_AT, PARENT_UUID_AT + 16);
  return {
    version: raw.version,
    imageType: raw.imageType,
    mapOffset: raw.mapOffset,
    dataOffset: raw.dataOffset,
    sectorSize: raw.sectorSize,
    diskSize: exact(raw.diskSize, 'VDI disk size'),
    blockSize: raw.blockSize,
    blockExtra: raw.blockExtra,
    blocks: raw.blocks,
    blocksAllocated: raw.blocksAllocated,
    hasParent: parents.some((byte) => byte !== 0),
    text: latin1(bytes.subarray(0, SIGNATURE_AT))
      .replace(/\0.*/s, '')
      .replace(/^<+\s*|\s*>+\s*$/g, ''),
  };
}

/** VirtualBox writes 1 MiB; other powers of two are legal. */
const MIN_BLOCK = 4096;
const MAX_BLOCK = 256 * 1024 * 1024;

/** @throws Corrupt when fields contradict one another or the specification */
export function checkHeader(header: VdiHeader, virtualSize: number): void {
  const { sectorSize, blockSize, blockExtra, mapOffset, dataOffset, blocks, blocksAllocated } = header;
  const must = (ok: boolean, message: string): void => {
    if (!ok) throw new Corrupt(`VDI ${message}`);
  };
  must(sectorSize === 512, `sector size: ${sectorSize} is not 512`);
  must(
    (blockSize & (blockSize - 1)) === 0 && blockSize >= MIN_BLOCK && blockSize <= MAX_BLOCK,
    `block size: ${blockSize} is not a power of two within ${MIN_BLOCK}..${MAX_BLOCK}`,
  );
  must(
    blockExtra % 512 === 0 && blockExtra <= blockSize,
    `extra bytes per block: ${blockExtra} is not a small multiple of 512`,
  );
  must(mapOffset % 512 === 0 && mapOffset >= 512, `map offset: ${mapOffset} is not a positive multiple of 512`);
  must(dataOffset % 512 === 0, `data offset: ${dataOffset} is not a multiple of 512`);
  must(dataOffset >= mapOffset + blocks * 4, `data offset: ${dataOffset} lies before the map's end`);
  must(virtualSize > 0, 'disk size: 0');
  must(blocks * blockSize >= virtualSize, `blocks: ${blocks} of ${blockSize} bytes are less than ${virtualSize}`);
  must(blocksAllocated <= blocks, `blocks allocated: ${blocksAllocated} is above ${blocks}`);
}
