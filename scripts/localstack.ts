/**
 * `npm run localstack`: a LocalStack of this machine's own, and the service on it; both end together. GLIMPSE_LOCALSTACK names the Python
 * that LocalStack is installed for, GLIMPSE_LOCALSTACK_PORT its port (default 4566), GLIMPSE_LOCALSTACK_DATA its folder (default
 * .glimpse-emulator/localstack). It keeps nothing when it ends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOW_TO_INSTALL, type LocalStackProcess, startLocalStack } from './emulator/localstack-process.ts';

const START = fileURLToPath(new URL('./start.ts', import.meta.url));

function fail(message: string): never {
  console.error(`glimpse: ${message}`);
  process.exit(1);
}

/** @throws Error with one line when there is none */
function pythonIn(env: NodeJS.ProcessEnv): string {
  const { GLIMPSE_LOCALSTACK: named } = env;
  const python = resolve(named || '.localstack/bin/python');
  if (existsSync(python)) return python;
  throw new Error(
    `${named ? `GLIMPSE_LOCALSTACK: there is no ${named}` : 'LocalStack is not installed'}: ${HOW_TO_INSTALL}`,
  );
}

function portIn({ GLIMPSE_LOCALSTACK_PORT: text = '4566' }: NodeJS.ProcessEnv): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(`GLIMPSE_LOCALSTACK_PORT: "${text}" is no port (1 to 65535)`);
}

async function start(env: NodeJS.ProcessEnv): Promise<LocalStackProcess> {
  const folder = resolve(env['GLIMPSE_LOCALSTACK_DATA'] || '.glimpse-emulator/localstack');
  const options = { python: pythonIn(env), port: portIn(env), folder };
  console.log(`LocalStack is being started at http://127.0.0.1:${options.port}, its log is in ${folder}`);
  return startLocalStack(options);
}

const localstack = await start(process.env).catch((error: unknown) =>
  fail(error instanceof Error ? error.message : String(error)),
);
// The service wants LocalStack until its own end.
const service = spawn(process.execPath, [START, ...process.argv.slice(2)], {
  env: { ...process.env, AWS_ENDPOINT_URL: localstack.endpoint },
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => service.kill(signal));
const [code] = (await once(service, 'exit')) as [number | null];
await localstack.close();
process.exit(code ?? 1);
