/** Threads are started from files of their own, which the bundle of a function does not contain: they are built beside it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

const HASHING = 'formats/node/digest/digest-worker.ts';
const BUILT = '.sst/workers';

/** JavaScript of the hashing thread, which imports nothing of ours; for `copyFiles`. Name as in formats/node/digest/digest.ts. */
export function hashingThread(): { readonly from: string; readonly to: string } {
  const root = $cli.paths.root;
  const name = 'digest-worker.mjs';
  const source = readFileSync(join(root, HASHING), 'utf8');
  if (/^import (?!type\b).*from '\./m.test(source))
    throw new Error(`${HASHING} imports files that its package would not hold`);
  mkdirSync(join(root, BUILT), { recursive: true });
  const path = join(root, BUILT, name);
  // Another stage may be deployed at the same time.
  writeFileSync(`${path}.${process.pid}`, stripTypeScriptTypes(source));
  renameSync(`${path}.${process.pid}`, path);
  return { from: `${BUILT}/${name}`, to: name };
}
