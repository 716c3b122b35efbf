import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { FormatName } from '../../formats/image.ts';

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

/** Images to mutate: those of the repository, and the corpus where it is present. */
export function seeds(): Seed[] {
  const out: Seed[] = [];
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
