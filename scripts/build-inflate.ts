/**
 * `node scripts/build-inflate.ts`: compiles `formats/engine/inflate/pair.as` and writes `pair-wasm.ts`, which is committed, so
 * that running and bundling need no compiler. The compiler is fetched by npm for this run; the result names the source's
 * hash, which a test compares.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMPILER = 'assemblyscript@0.28.20';
/** One page for tables, which end below the static data, and ten for two inputs and two rooms (pair.ts). */
const OPTIONS = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--memoryBase',
  '60000',
  '--initialMemory',
  '11',
];

const folder = fileURLToPath(new URL('../formats/engine/inflate/', import.meta.url));
const source = readFileSync(join(folder, 'pair.as'));
const work = mkdtempSync(join(tmpdir(), 'glimpse-inflate-'));
try {
  const entry = join(work, 'pair.ts');
  const binary = join(work, 'pair.wasm');
  writeFileSync(entry, source);
  const command = ['exec', '--yes', `--package=${COMPILER}`, '--', 'asc', entry, '-o', binary, ...OPTIONS];
  execFileSync('npm', command, { cwd: work, stdio: 'inherit' });
  const hash = createHash('sha256').update(source).digest('hex');
  const lines = readFileSync(binary, 'base64').replaceAll(/.{1,100}/g, "  '$&',\n");
  writeFileSync(
    join(folder, 'pair-wasm.ts'),
    `/** Made by scripts/build-inflate.ts from pair.as; not to be edited. */

/** SHA-256 of the source. */
export const SOURCE_SHA256 = '${hash}';

/** The compiled module, in lines of base64. */
export const MODULE: readonly string[] = [
${lines}];
`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
