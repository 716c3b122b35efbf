import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The catalog that comes with the program. */
export const STANDARD_CATALOG = join(import.meta.dirname, '../../etc/metadefs');

/** A file, or every `*.json` of a directory by name. @throws Error when there is none */
export async function catalogFiles(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith('.json')).toSorted();
  if (names.length === 0) throw new Error(`${path}: there is no *.json file in it`);
  return names.map((name) => join(path, name));
}

export async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

/** Whoever reads the file sees the old one or the new one, never half. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const partial = `${path}.part`;
  await writeFile(partial, text);
  await rename(partial, path);
}
