/** A backend that takes a connection and says nothing does not hold a request for ever. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createServiceDeps } from '../../service/deps.ts';

let server: Server;
let folder: string;
beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  folder = await mkdtemp(join(tmpdir(), 'glimpse-silent-'));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL', endpoint);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  // One of the attempts that a client makes.
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

test('calls of the table and of the workflow end by themselves', async () => {
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify({ stores: [{ id: 'central', bucket: 'a-bucket' }] }));
  const deps = await createServiceDeps({
    GLIMPSE_CONFIG: config,
    GLIMPSE_TABLE: 'glimpse',
    GLIMPSE_STAGING_BUCKET: 'staging',
    GLIMPSE_IMPORT_WORKFLOW: 'arn:aws:states:us-east-1:123456789012:stateMachine:import-image',
  });
  const calls = await Promise.allSettled([deps.tasks.get('t'), deps.workflows.statusOf('t')]);

  expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
