export const SECTOR = 2048;
export const BLOCKS = 40;

/** A volume descriptor at its place in the sequence. */
export function descriptor(disc: Buffer, index: number, type: number, id = 'CD001'): Buffer {
  const at = (16 + index) * SECTOR;
  disc[at] = type;
  disc.write(id, at + 1, 'latin1');
  disc[at + 6] = 1;
  return disc.subarray(at, at + SECTOR);
}

export interface IsoOptions {
  readonly blocks?: number;
  readonly joliet?: boolean;
  readonly udf?: boolean;
  readonly platforms?: readonly number[];
}

/** A small disc without files. */
export function iso({ blocks = BLOCKS, joliet = false, udf = false, platforms = [] }: IsoOptions = {}): Buffer {
  const disc = Buffer.alloc(BLOCKS * SECTOR);
  let index = 0;
  const primary = descriptor(disc, index++, 1);
  primary.write('A_DISC'.padEnd(32), 40, 'latin1');
  primary.writeUInt32LE(blocks, 80);
  primary.writeUInt32BE(blocks, 84);
  primary.writeUInt16LE(SECTOR, 128);
  primary.writeUInt16BE(SECTOR, 130);
  primary.writeUInt32LE(30, 158);
  primary.write('A PUBLISHER'.padEnd(128), 318, 'latin1');
  if (platforms.length > 0) addBoot(disc, descriptor(disc, index++, 0), platforms);
  if (joliet) descriptor(disc, index++, 2).write('%/E', 88, 'latin1');
  descriptor(disc, index++, 255);
  if (udf) for (const id of ['BEA01', 'NSR03', 'TEA01']) descriptor(disc, index++, 0, id);
  return disc;
}

/** One default entry, then a section for each further platform. */
function addBoot(disc: Buffer, record: Buffer, [first = 0, ...more]: readonly number[]): void {
  record.write('EL TORITO SPECIFICATION', 7, 'latin1');
  record.writeUInt32LE(32, 71);
  const catalog = disc.subarray(32 * SECTOR, 33 * SECTOR);
  catalog.set([1, first], 0);
  catalog.set([0x55, 0xaa], 30);
  let sum = 0;
  for (let at = 0; at < 32; at += 2) sum += catalog.readUInt16LE(at);
  catalog.writeUInt16LE(-sum & 0xffff, 28);
  catalog[32] = 0x88;
  for (const [i, platform] of more.entries()) {
    catalog.set([i === more.length - 1 ? 0x91 : 0x90, platform, 1, 0], 64 + 64 * i);
    catalog[96 + 64 * i] = 0x88;
  }
}
