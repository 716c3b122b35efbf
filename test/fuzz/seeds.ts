import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { FormatName } from '../../formats/engine/image.ts';
import { WRITERS } from '../../formats/writers.ts';
import { XZ_BYTES, zip } from '../support/archives.ts';
import { BZIP2, PBZIP2, RANDOMISED } from '../support/bzip2-files.ts';
import { converted } from '../support/converted.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/formats');
const CORPUS = process.env['GLIMPSE_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus');
/** Larger images have no structures that the small ones lack. */
const MAX_SEED_BYTES = 32 * 1024 * 1024;

export interface Seed {
  readonly name: string;
  readonly format: FormatName;
  readonly bytes: Uint8Array;
}

interface Row {
  readonly name: string;
  readonly file: string;
  readonly format: string;
}

/** Text that compresses, as long as a few blocks. */
const TEXT = Buffer.from(Array.from({ length: 4000 }, (_, line) => `line ${line} of a disk\n`).join(''));
/** The first bytes of an old format, and room for what might follow. */
const magic = (...bytes: number[]): Buffer => Buffer.concat([Buffer.from(bytes)], 4096);

/** Formats that no image of the lists has. */
const MADE: readonly Seed[] = [
  { name: 'made-gzip', format: 'gzip', bytes: gzipSync(TEXT) },
  { name: 'made-xz', format: 'xz', bytes: XZ_BYTES },
  { name: 'made-zstd', format: 'zstd', bytes: zstdCompressSync(TEXT) },
  { name: 'made-zip-deflated', format: 'zip', bytes: zip(TEXT) },
  { name: 'made-zip64-stored', format: 'zip', bytes: zip(TEXT, { method: 0, zip64: true }) },
  { name: 'made-bzip2', format: 'bzip2', bytes: BZIP2 },
  { name: 'made-bzip2-streams', format: 'bzip2', bytes: PBZIP2 },
  { name: 'made-bzip2-randomised', format: 'bzip2', bytes: RANDOMISED },
  { name: 'made-qcow1', format: 'qcow1', bytes: magic(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 1) },
  { name: 'made-cowd', format: 'cowd', bytes: magic(0x43, 0x4f, 0x57, 0x44, 1) },
  { name: 'made-sesparse', format: 'sesparse', bytes: magic(0xbe, 0xba, 0xfe, 0xca) },
];

/** A disk with text, zeros and a last block that is none, as each of our writers makes a file of it. */
const DISK = Buffer.concat([TEXT, Buffer.alloc(3 * 1024 * 1024), TEXT.subarray(0, 512)]);
const WRITTEN: readonly Seed[] = await Promise.all(
  WRITERS.filter(({ format }) => format !== 'raw').map(async ({ format, subformat }) => ({
    name: ['written', format, subformat].filter(Boolean).join('-'),
    format,
    bytes: await converted(DISK.subarray(0, DISK.length - (DISK.length % 512)), {
      target: format,
      ...(subformat === undefined ? {} : { subformat }),
    }),
  })),
);

/** Images to mutate: those of the repository, and the corpus where it is present. */
export function seeds(): Seed[] {
  const out: Seed[] = [...MADE, ...WRITTEN];
  const folders = readdirSync(FIXTURES).map((name) => join(FIXTURES, name));
  const lists = [...folders.map((folder) => [folder, 'expected.json'] as const), [CORPUS, 'manifest.json'] as const];
  for (const [folder, list] of lists) {
    if (!existsSync(join(folder, list))) continue;
    const parsed = JSON.parse(readFileSync(join(folder, list), 'utf8')) as Row[] | { files: Row[] };
    for (const row of Array.isArray(parsed) ? parsed : parsed.files) {
      const bytes = gunzipSync(readFileSync(join(folder, row.file)));
      if (bytes.length === 0 || bytes.length > MAX_SEED_BYTES || out.some((seed) => seed.name === row.name)) continue;
      const format = row.format === 'compressed' ? 'gzip' : row.format;
      out.push({ name: row.name, format: format as FormatName, bytes });
    }
  }
  return out;
}
