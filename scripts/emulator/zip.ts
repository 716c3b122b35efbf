/** A ZIP archive in memory, as Lambda takes code (APPNOTE.TXT 6.3.10, without encryption, comments and ZIP64: below 4 GiB). */
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { crc32, deflateRaw } from 'node:zlib';

const deflated = promisify(deflateRaw);

const VERSION = 20;
const DEFLATE = 8;
/** 1 January 1980: the same files are the same archive, whenever it is made. */
const DATE = 0x0021;
/** A regular file that everybody may read, made on Unix. */
const MADE_BY = 0x0300 | VERSION;
const MODE = 0o100644 * 0x10000;
const UTF8 = 0x0800;

interface Field {
  readonly bytes: 2 | 4;
  readonly value: number;
}

const two = (value: number): Field => ({ bytes: 2, value });
const four = (value: number): Field => ({ bytes: 4, value });

function record(fields: readonly Field[], ...rest: readonly Buffer[]): Buffer {
  const head = fields.map(({ bytes, value }) => {
    const field = Buffer.alloc(bytes);
    field.writeUIntLE(value, 0, bytes);
    return field;
  });
  return Buffer.concat([...head, ...rest]);
}

/** Every file below a folder, by its path there, in order of the paths. */
export async function zipFolder(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const path of paths) {
    const data = await readFile(path);
    const body = await deflated(data);
    const name = Buffer.from(path.slice(folder.length + 1).replaceAll(sep, '/'));
    const both = [
      ...[two(VERSION), two(UTF8), two(DEFLATE), two(0), two(DATE)],
      ...[four(crc32(data)), four(body.length), four(data.length), two(name.length), two(0)],
    ];
    const local = record([four(0x04034b50), ...both], name, body);
    directory.push(
      record([four(0x02014b50), two(MADE_BY), ...both, two(0), two(0), two(0), four(MODE), four(at)], name),
    );
    locals.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = [two(0), two(0), two(paths.length), two(paths.length), four(central.length), four(at), two(0)];
  return Buffer.concat([...locals, central, record([four(0x06054b50), ...end])]);
}
