/** What stands in for ECS on one machine runs what a deployment's containers run, whoever asks. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ContainerHost, hostContainers } from '../../scripts/containers.ts';

let host: ContainerHost;
let folder: string;
const urls = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glimpse-containers-'));
  const registry = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { url } = JSON.parse(Buffer.concat(chunks).toString()) as { url: string };
    urls.set(request.url?.split('/').at(-1) ?? '', url);
    response.end('{}');
  });
  await once(registry.listen(0, '127.0.0.1'), 'listening');
  host = await hostContainers();
  await host.register(`http://127.0.0.1:${(registry.address() as AddressInfo).port}`, 'token');
  registry.closeAllConnections();
  registry.close();
});
afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true, force: true });
});

const STEP = 'import-hash';
const RUN = ['node', 'functions/tasks/run-step.ts'];

async function run(event: object): Promise<{ readonly error?: { readonly errorMessage: string } }> {
  const body = JSON.stringify({ event, context: {} });
  const answer = await fetch(urls.get(STEP) ?? '', { method: 'POST', body });
  return (await answer.json()) as { error?: { errorMessage: string } };
}

const touch = (file: string): string => `require('node:fs').writeFileSync(${JSON.stringify(file)}, '')`;

it.each([
  ['another program', (file: string) => ({ command: ['node', '-e', touch(file)] })],
  ['an option before the step', (file: string) => ({ command: ['node', '-e', touch(file), ...RUN.slice(1), STEP] })],
  ['another script', () => ({ command: ['node', 'scripts/start.ts', STEP] })],
  ["another step's name", () => ({ command: [...RUN, 'import-copy', 'taskId=1'] })],
  ['a word that is no fact of the step', () => ({ command: [...RUN, STEP, '--eval=1'] })],
  ['nothing', () => ({})],
])('does not run %s', async (_name, eventFor) => {
  const file = join(folder, 'run');

  const { error } = await run(eventFor(file));

  expect(error?.errorMessage).toBeDefined();
  expect(error?.errorMessage).not.toContain('exit');
  expect(existsSync(file)).toBe(false);
});

it('gives a step no variable that its caller names', async () => {
  const file = join(folder, 'by-environment');
  const environment = {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`import('node:fs').then((fs) => fs.writeFileSync(${JSON.stringify(file)}, ''))`)}`,
  };

  const { error } = await run({ command: [...RUN, STEP, 'taskId=none', 'imageId=none'], environment });

  // Its process began, and has no table to work on.
  expect(error?.errorMessage).toContain('exit');
  expect(existsSync(file)).toBe(false);
});
