/** `npm start` as an operator meets it when something is in the way. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGlimpse } from '../support/glimpse.ts';

let dir: string;
let holder: Server;
let busy: number;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-start-'));
  holder = createServer();
  await new Promise<void>((resolve) => {
    holder.listen(0, '127.0.0.1', resolve);
  });
  busy = (holder.address() as AddressInfo).port;
});

afterAll(async () => {
  holder.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

describe('one clear line and exit 1', () => {
  it.each([
    ['the port of the service is busy', () => ({ GLIMPSE_PORT: String(busy) }), /port \d+ is in use/],
    ['the port of the embedded AWS is busy', () => ({ GLIMPSE_AWS_PORT: String(busy) }), /port \d+ .*in use/],
    ['a port is no port', () => ({ GLIMPSE_PORT: 'http' }), /GLIMPSE_PORT: "http" is no port/],
    [
      'the configuration file is not there',
      () => ({ GLIMPSE_CONFIG: join(dir, 'none.json') }),
      /none\.json cannot be read/,
    ],
  ])('%s', async (_name, env, message) => {
    const { code, stderr } = await run(env());

    expect(code).toBeGreaterThan(0);
    expect(stderr.trim().split('\n')[0]).toMatch(message);
    expect(stderr).not.toMatch(/ {4}at /);
  });

  it('the data directory is in use', async () => {
    const first = await startGlimpse({ dataDir: join(dir, 'data') });
    try {
      const { code, stderr } = await run({ GLIMPSE_DATA: join(dir, 'data') });

      expect(code).toBe(1);
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/data directory .* in use/) as string]);
    } finally {
      expect(await first.stop()).toBe(0);
    }
  });
});

function run(env: Record<string, string>): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['scripts/start.ts'], {
      cwd: join(import.meta.dirname, '../..'),
      env: {
        ...process.env,
        GLIMPSE_PORT: '0',
        GLIMPSE_AWS_PORT: '0',
        GLIMPSE_DATA: join(dir, 'other'),
        GLIMPSE_CONFIG: '',
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('close', (code) => resolve({ code, stderr }));
  });
}
