/** Which tests answer for which folder: those that mirror it. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What is mutated: the rules that hostile bytes and other programs meet. */
export const MUTATED = ['formats', 'local'] as const;

/** Folders whose rules are tests of another name. Names, not paths: a test may move. */
const TESTED_AS: Readonly<Record<string, readonly string[]>> = {
  'formats/docker': ['archives-corpus'],
  'formats/engine/convert': ['qcow2', 'vmdk-writer'],
  'formats/engine/decompress': ['inflate', 'zstd'],
  'formats/engine/filesystem': ['partitions', 'wrappers', 'iso', 'engine-corpus'],
  'formats/engine/gpt': ['partitions'],
  'formats/engine/mbr': ['partitions'],
  'formats/node': ['digest', 'shared-ring', 'inflate', 'deflate', 'zstd'],
  'formats/raw': ['inspect', 'partitions', 'engine-corpus'],
  'formats/unsupported': ['archives-corpus', 'engine-corpus', 'inspect'],
  'local/http-api': ['front', 'http-api'],
  'local/wire': ['wire', 'eventbridge', 'dynamodb'],
};

/** Every folder under MUTATED that holds sources, from the root of the repository, in order. */
export function mutatedFolders(root: string): string[] {
  const folders = new Set<string>();
  for (const top of MUTATED)
    for (const entry of readdirSync(join(root, top), { recursive: true, encoding: 'utf8' }))
      if (entry.endsWith('.ts')) folders.add(dirname(join(top, entry)));
  return [...folders].sort();
}

/** The tests of one file: its own, when it has one, else those of its folder. */
export function testsOfFile(root: string, file: string): string[] {
  const own = `test/unit/${file.replace(/\.ts$/u, '.test.ts')}`;
  return existsSync(join(root, own)) ? [own] : testsOf(dirname(file));
}

/** Globs of the tests that are run for a folder's mutants. A folder that is a room itself is held by all tests of the room. */
export function testsOf(folder: string): string[] {
  const [top = '', ...below] = folder.split('/');
  const homes = top === 'local' ? ['test/unit/local', 'test/local'] : [`test/unit/${top}`];
  if (below.length === 0 || folder === 'formats/engine') return homes.map((home) => `${home}/**/*.test.ts`);
  const names = [top === 'local' ? (below[0] ?? '') : basename(folder), ...(TESTED_AS[folder] ?? [])];
  return homes.flatMap((home) =>
    names.flatMap((name) => [`${home}/**/${name}/**/*.test.ts`, `${home}/**/${name}{,-*}.test.ts`]),
  );
}
