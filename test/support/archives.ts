/** Small compressed files, for tests of what is unpacked. */
import { crc32, deflateRawSync } from 'node:zlib';

/** What XZ_DATA is when `xz` has compressed it; Node has no encoder. */
export const XZ_BYTES = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj5aFnAYVdADYaSh8IoCYDTQad7+2IoMErkgmESbJhpB2MKmTfxW17awPmikrdsh7anQ1TgnFYB1RYPDyvowyNTkm3tAnPTgaOlg3tGhJx1x7ryZLmLpixFiBALrGoSVaO8SgbnTkzyxsMJgMzH36vOCABk/C3phsSADhNxV1r0JlvrZGgeYuZVdvEwvOl3gIC6oDERssybrazt0dkroSxEgaOmHGFxldBQQDz/6n4AEMHQI5xkepO4mBqMNIWPAIcdR7UXdgs8EhPyZj9th4hL2Fbk4Nm/lEtQLYMS194R9gtV7yGrwW8pSzhvHZDo8969MMIKqVJvXAejz1g7PZ0Vse7onPKUvha6VGo48mXQEXm9sHw6kYBAUoUuPV94FwfFh99XgNLe/jdZwFK5jfe+d+6eF5Kg1sf2RUosrcfllqfOFvGYZmOdtBoDfVs47dFAd1SZEa6atZvbp2P6uNKpsDA1ypw9NL/QU+FNS1g3etysuRG9lTwiHUsMNvCUFSRIpcGA1/JaxWhEnsAAAAAAKub8L4rpHweAAGhA+jCFgBo8s3LscRn+wIAAAAABFla',
  'base64',
);
export const XZ_DATA = Buffer.from(
  Array.from({ length: 200 }, (_, i) => `line ${i} of a disk\n`)
    .join('')
    .repeat(100),
);

export interface ZipOptions {
  readonly method?: number;
  readonly flags?: number;
  readonly zip64?: boolean;
  readonly crc?: number;
  readonly size?: number;
  readonly name?: string;
  /** Names of empty entries that stand before the file in the directory. */
  readonly beside?: readonly string[];
  readonly count?: number;
  readonly comment?: string;
}

/** An archive of one file. */
export function zip(data: Uint8Array, options: ZipOptions = {}): Buffer {
  const { method = 8, flags = 0, zip64 = false, name = 'disk.raw', beside = [], comment = '' } = options;
  const { count = 1 + beside.length } = options;
  const { crc = crc32(data), size = data.length } = options;
  const body = method === 8 ? deflateRawSync(data) : Buffer.from(data);
  const local = Buffer.alloc(30 + name.length + 4);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt16LE(name.length, 26);
  local.writeUInt16LE(4, 28);
  const extra = Buffer.alloc(zip64 ? 8 + 28 : 0);
  const central = Buffer.alloc(46 + name.length);
  central.write('PK\x01\x02', 'latin1');
  central.writeUInt16LE(flags, 8);
  central.writeUInt16LE(method, 10);
  central.writeUInt32LE(crc, 16);
  central.writeUInt32LE(zip64 ? 0xffffffff : body.length, 20);
  central.writeUInt32LE(zip64 ? 0xffffffff : size, 24);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(extra.length, 30);
  central.writeUInt32LE(zip64 ? 0xffffffff : 0, 42);
  central.write(name, 46);
  if (zip64) {
    // Another field first, then sizes and offset in the order of the specification.
    extra.writeUInt16LE(0x5455, 0);
    extra.writeUInt16LE(4, 2);
    extra.writeUInt16LE(1, 8);
    extra.writeUInt16LE(24, 10);
    extra.writeBigUInt64LE(BigInt(size), 12);
    extra.writeBigUInt64LE(BigInt(body.length), 20);
  }
  const directory = Buffer.concat([...beside.map(emptyEntry), central, extra]);
  const at = local.length + body.length;
  const end = Buffer.alloc(22 + comment.length);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : at, 16);
  end.writeUInt16LE(comment.length, 20);
  end.write(comment, 22);
  if (!zip64) return Buffer.concat([local, body, directory, end]);
  const end64 = Buffer.alloc(56 + 20);
  end64.write('PK\x06\x06', 'latin1');
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(directory.length), 40);
  end64.writeBigUInt64LE(BigInt(at), 48);
  end64.write('PK\x06\x07', 56, 'latin1');
  end64.writeBigUInt64LE(BigInt(at + directory.length), 64);
  return Buffer.concat([local, body, directory, end64, end]);
}

function emptyEntry(name: string): Buffer {
  const entry = Buffer.alloc(46 + name.length);
  entry.write('PK\x01\x02', 'latin1');
  entry.writeUInt16LE(name.length, 28);
  entry.write(name, 46);
  return entry;
}
