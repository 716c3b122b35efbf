/**
 * Packages of functions as a deployment makes them, offline: the options are those with which the SST 4.17 command calls esbuild for a
 * function of runtime nodejs24.x that sets none of its own (its `pkg/runtime/node/build.go`), and `copyFiles` lie beside the bundle. The
 * maps of sources, which it keeps out of the package, are not made.
 */
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/** What the program asks SST to build for one function. */
export interface PackageInput {
  /** As `functions/tasks/begin.handler`. */
  readonly handler: string;
  /** `from` is relative to the repository, `to` to the package. */
  readonly copyFiles: readonly { readonly from: string; readonly to: string }[];
}

const BANNER = [
  "import { createRequire as topLevelCreateRequire } from 'module';",
  'const require = topLevelCreateRequire(import.meta.url);',
  'import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"',
  'const __filename = topLevelFileUrlToPath(import.meta.url)',
  'const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))',
].join('\n');

/** The handler as its function's configuration names it: every package holds one bundle, and that has one name. */
export const bundledHandler = ({ handler }: Pick<PackageInput, 'handler'>): string =>
  `bundle${handler.slice(handler.lastIndexOf('.'))}`;

/**
 * Fills `{folder}/{name}` with the package of each function. Each bundle is whole, as if it were built alone; sources are read once.
 * @throws Error of esbuild, or of a file that does not exist
 */
export async function buildPackages(
  root: string,
  packages: Readonly<Record<string, PackageInput>>,
  folder: string,
): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: Object.entries(packages).map(([name, { handler }]) => ({
      in: `${handler.slice(0, handler.lastIndexOf('.'))}.ts`,
      out: `${name}/bundle`,
    })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2024',
    mainFields: ['module', 'main'],
    external: ['sharp', 'pg-native'],
    keepNames: true,
    minify: true,
    banner: { js: BANNER },
    logLevel: 'silent',
  });
  for (const [name, { copyFiles }] of Object.entries(packages)) {
    for (const { from, to } of copyFiles) {
      const place = join(folder, name, to);
      await mkdir(dirname(place), { recursive: true });
      await cp(join(root, from), place, { recursive: true });
    }
  }
}
