import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A row of the corpus manifest, as far as tests of archives and wrappers read it. */
export interface CorpusRow {
  readonly name: string;
  readonly file: string;
  readonly format: string;
  readonly verdict: string;
  readonly reasons?: readonly string[];
  readonly raw_sha256?: string;
  readonly raw_size?: number;
  readonly virtual_size: number | null;
  readonly inspect?: Readonly<Record<string, unknown>>;
}

const CORPUS = process.env['GLIMPSE_CORPUS'] ?? join(import.meta.dirname, '../../../../shared/corpus');

/** Rows of some formats, or of all when none is named; no row, with the reason printed, on a machine without the corpus. */
export function corpusRows(...formats: string[]): readonly CorpusRow[] {
  const manifest = join(CORPUS, 'manifest.json');
  if (!existsSync(manifest)) {
    process.stdout.write(`skipped: no corpus at ${CORPUS} (set GLIMPSE_CORPUS)\n`);
    return [];
  }
  const { files } = JSON.parse(readFileSync(manifest, 'utf8')) as { files: CorpusRow[] };
  return files.filter((row) => formats.length === 0 || formats.includes(row.format));
}

/** The bytes of a row's image. */
export function corpusBytes(row: CorpusRow): Uint8Array {
  return gunzipSync(readFileSync(join(CORPUS, row.file)));
}
