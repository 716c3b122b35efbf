import { type BuildOptions, build } from 'esbuild';

/**
 * The code that is reachable from an entry point, as one text; packages stay outside.
 * @param root the repository
 */
export async function bundledText(
  root: string,
  input: Pick<BuildOptions, 'entryPoints' | 'stdin' | 'plugins'>,
): Promise<string> {
  const { outputFiles } = await build({
    ...input,
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    legalComments: 'none',
    logLevel: 'silent',
  });
  return outputFiles.map((file) => file.text).join('\n');
}
