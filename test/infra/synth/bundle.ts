/** Bundles sst.config.ts the way the SST 4.17 command does: globals in front of every file of ours, the shim injected. */
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as EsbuildModule from 'esbuild';

export interface App {
  readonly name: string;
  readonly providers: Readonly<Record<string, Record<string, unknown>>>;
  readonly removal?: string;
  readonly protect?: boolean;
  readonly home: string;
}

const BANNER = [
  "import { createRequire as topLevelCreateRequire } from 'module';",
  'const require = topLevelCreateRequire(import.meta.url);',
  "import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from 'url';",
  "const __dirname = topLevelFileUrlToPath(new topLevelURL('.', import.meta.url));",
].join('\n');

const EXTERNAL = ['@pulumi/*', '@aws-sdk/*', '@sst-provider/*', 'undici', 'esbuild', 'archiver', 'glob', 'vite'];

export class Bundler {
  readonly root: string;
  readonly platform: string;
  readonly config: string;
  readonly #esbuild: typeof EsbuildModule;

  constructor(root: string, config: string) {
    this.root = root;
    // Through a link, files of the platform would not be known as such.
    this.platform = realpathSync(join(root, '.sst/platform'));
    this.config = config;
    this.#esbuild = createRequire(join(this.platform, 'package.json'))('esbuild');
  }

  /** `app()` of the configuration, evaluated alone. @throws Error when the file imports anything at its top level */
  async app(stage: string): Promise<App> {
    const source = readFileSync(this.config, 'utf8');
    if (/^\s*import\s/m.test(source))
      throw new Error('Your "sst.config.ts" has top level imports - this is not allowed.');
    const outfile = join(this.platform, `sst.config.app-${process.pid}.mjs`);
    await this.#esbuild.build({
      entryPoints: [this.config],
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      outfile,
      logLevel: 'silent',
      banner: { js: `const $config = (config) => config;\n${BANNER}` },
    });
    const module = (await import(outfile)) as { default: { app(input: { stage: string }): App } };
    return module.default.app({ stage });
  }

  /** The program; returns the path of the module whose default export runs it. */
  async program(app: App, stage: string, work: string): Promise<string> {
    const paths = { home: work, root: this.root, work, platform: this.platform };
    const version = readFileSync(join(this.platform, 'version'), 'utf8').trim();
    const outfile = join(this.platform, `sst.config.mock-${process.pid}.mjs`);
    const globals = [
      'import * as aws from "@pulumi/aws";',
      `import * as sst from ${JSON.stringify(join(this.platform, 'src/components'))};`,
    ].join('\n');
    await this.#esbuild.build({
      stdin: {
        contents: [
          `import { run } from ${JSON.stringify(join(this.platform, 'src/auto/run.ts'))};`,
          `import mod from ${JSON.stringify(this.config)};`,
          'export default () => run(mod.run);',
        ].join('\n'),
        resolveDir: this.root,
        sourcefile: 'eval.ts',
        loader: 'ts',
      },
      bundle: true,
      format: 'esm',
      platform: 'node',
      mainFields: ['module', 'main'],
      nodePaths: [join(this.platform, 'node_modules')],
      external: EXTERNAL,
      define: {
        $app: JSON.stringify({ ...app, stage }),
        $cli: JSON.stringify({ command: 'deploy', dev: false, paths, state: { version: {} }, version }),
        $dev: 'false',
      },
      inject: [join(this.platform, 'src/shim/run.js')],
      banner: { js: BANNER },
      outfile,
      logLevel: 'silent',
      plugins: [this.#globals(globals)],
    });
    return outfile;
  }

  #globals(globals: string): EsbuildModule.Plugin {
    const { platform } = this;
    return {
      name: 'globals',
      setup({ onLoad }) {
        onLoad({ filter: /\.(js|ts|jsx|tsx)$/ }, ({ path }) => {
          const source = readFileSync(path, 'utf8');
          if (path === join(platform, 'src/components/naming.ts')) return { contents: stable(source), loader: 'ts' };
          if (path.startsWith(platform) || path.includes('/node_modules/')) return undefined;
          return { contents: `${globals}\n${source}`, loader: 'ts' };
        });
      },
    };
  }
}

/** Physical names without chance, so that two runs can be compared. */
function stable(source: string): string {
  const chance = 'crypto.randomBytes(8).toString("hex")';
  if (!source.includes(chance)) throw new Error('naming.ts of the SST platform has changed: adapt test/infra/synth');
  return `import { createHash as stableHash } from "crypto";\n${source.replaceAll(chance, 'stableHash("md5").update(name).digest("hex")')}`;
}
