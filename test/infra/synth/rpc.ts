/** The few methods of the SST command's server that components call while the program runs. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { build } from 'esbuild';
import { ACCOUNT } from './answers.ts';
import type { Build } from './graph-types.ts';

interface BuildInput {
  readonly functionID: string;
  readonly handler: string;
  readonly runtime: string;
  readonly copyFiles?: readonly { readonly from: string; readonly to: string }[];
}
type Method = (input: never) => Promise<unknown>;

/** Starts the server; `builds` and `warnings` fill while the program runs. */
export async function startRpc(
  root: string,
  work: string,
  warnings: string[],
): Promise<{ url: string; server: Server; builds: Build[] }> {
  const builds: Build[] = [];
  const methods: Record<string, Method> = {
    'Provider.Aws.Bootstrap': async ({ region }: { region: string }) => ({
      version: 1,
      asset: `sst-asset-${region}`,
      state: `sst-state-${region}`,
      assetEcrRegistryId: ACCOUNT,
      assetEcrUrl: `${ACCOUNT}.dkr.ecr.${region}.amazonaws.com/sst-asset`,
    }),
    'Runtime.Build': async (input: BuildInput) => {
      const built = await buildFunction(root, input);
      builds.push(built);
      const out = join(work, 'artifacts', `${input.functionID}-src`);
      await mkdir(out, { recursive: true });
      await writeFile(join(out, 'bundle.mjs'), 'export const handler = () => undefined;\n');
      return { handler: 'bundle.handler', out, errors: built.errors, sourcemaps: [] };
    },
  };
  const server = createServer(async (request, response) => {
    const { id, method, params } = (await json(request)) as { id: unknown; method: string; params: [never] };
    const found = methods[method];
    if (found === undefined) warnings.push(`SST called ${method}, which the harness does not know`);
    const answer = await (found?.(params[0]) ?? Promise.reject(new Error(`rpc: can't find method ${method}`))).then(
      (result) => ({ result, error: null }),
      (error: unknown) => ({ result: null, error: error instanceof Error ? error.message : String(error) }),
    );
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id, ...answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, builds };
}

/** Finds the source of a handler and bundles it in memory: does it resolve, and does it export that name? */
async function buildFunction(root: string, input: BuildInput): Promise<Build> {
  const at = input.handler.lastIndexOf('.');
  const source = `${input.handler.slice(0, at)}.ts`;
  const wanted = input.handler.slice(at + 1);
  const common = {
    functionId: input.functionID,
    handler: input.handler,
    source,
    runtime: input.runtime,
    copyFiles: (input.copyFiles ?? []).map(({ from, to }) => ({ from: from.replace(`${root}/`, ''), to })),
  };
  if (!existsSync(join(root, source)))
    return { ...common, hashes: false, errors: [`handler ${input.handler}: there is no ${source}`] };
  const result = await build({
    absWorkingDir: root,
    entryPoints: [source],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile: 'out.mjs',
    logLevel: 'silent',
  }).catch((error: Error) => error);
  if (result instanceof Error)
    return { ...common, hashes: false, errors: [`handler ${input.handler}: ${result.message}`] };
  const outputs = Object.values(result.metafile.outputs);
  const exported = outputs.flatMap((output) => output.exports);
  const hashes = outputs.some(({ inputs }) => 'formats/node/digest/digest.ts' in inputs);
  const errors = exported.includes(wanted) ? [] : [`handler ${input.handler}: ${source} does not export ${wanted}`];
  return { ...common, hashes, errors };
}
