/**
 * `npm run pack [-- FOLDER]`: the command alone as a package, bundles without dependencies, packed by npm into a tarball (default: here).
 * The package is a folder of its own: this one's package.json has the dependencies of a whole service, and its scripts are not run (.npmrc).
 */
import { execFileSync } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { cliTree, manualPage } from './print-cli.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/** Bundles in one folder: threads are started by the name of a file beside whoever starts them. What commands share is a chunk. */
async function bundle(): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      glimpse: 'cli/bin.mjs',
      thread: 'cli/convert/worker.ts',
      'digest-worker': 'formats/node/digest/digest-worker.ts',
    },
    outdir: DIST,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    keepNames: true,
    minify: true,
    // Some packages are CommonJS, and ask for Node's modules by `require`.
    banner: {
      js: "import { createRequire as topLevelRequire } from 'node:module'; const require = topLevelRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  await writeFile(join(DIST, 'glimpse.1'), manualPage(await cliTree()));
}

async function manifest(): Promise<string> {
  const { name, version, description, license } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const own = {
    ...{ name, version, description, license, type: 'module' },
    engines: { node: '>=24' },
    bin: { glimpse: 'glimpse.mjs' },
    man: ['glimpse.1'],
  };
  return `${JSON.stringify(own, undefined, 2)}\n`;
}

await rm(DIST, { recursive: true, force: true });
await bundle();
await writeFile(join(DIST, 'package.json'), await manifest());
await cp(join(ROOT, 'LICENSE'), join(DIST, 'LICENSE'));
const target = process.argv[2] ?? ROOT;
execFileSync('npm', ['pack', DIST, '--pack-destination', target, '--silent'], { cwd: ROOT, stdio: 'inherit' });
