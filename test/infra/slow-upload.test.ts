/** scripts/try-slow-upload.ts tells an edge that carries a slow upload from those that do not. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { ROOT } from './graph.ts';

const PATH = '/v2/images/1b4b2a4c-5e2f-4d4a-9f0e-8f2b4b2a4c5e';

interface Edge {
  /** What it does with the upload; the rest of the service is always well. */
  readonly put: (request: IncomingMessage, response: ServerResponse) => void;
}

interface Trial {
  readonly code: number;
  readonly said: string;
  readonly upload: IncomingHttpHeaders;
  readonly removed: boolean;
}

/** Runs the script for two seconds against an edge. */
async function tried({ put }: Edge): Promise<Trial> {
  const hash = createHash('md5');
  let size = 0;
  let upload: IncomingHttpHeaders = {};
  let removed = false;
  const server = createServer((request, response) => {
    const answer = (status: number, body?: object) => response.writeHead(status).end(JSON.stringify(body));
    if (request.method === 'POST') return answer(201, { id: PATH.slice('/v2/images/'.length) });
    if (request.method === 'GET') return answer(200, { status: 'active', size, checksum: hash.digest('hex') });
    if (request.method === 'DELETE') {
      removed = request.url === PATH;
      return answer(204);
    }
    upload = request.headers;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      hash.update(chunk);
    });
    return put(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const script = join(ROOT, 'scripts/try-slow-upload.ts');
  const child = spawn(process.execPath, [script, url, '--minutes', '0.03'], {
    env: { PATH: process.env['PATH'] ?? '', OS_TOKEN: 'token' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = text(child.stdout);
  const [code] = await once(child, 'exit');
  server.closeAllConnections();
  server.close();
  return { code: code as number, said: await said, upload, removed };
}

test('an edge that waits carries the upload, which is chunked and of unknown length', async () => {
  const { code, said, upload, removed } = await tried({
    put: (request, response) => request.on('end', () => response.writeHead(204).end()),
  });

  expect(said).toMatch(/was answered 204 after \d+ s; image is active, 32768 of 32768 bytes\nThe edge carries slow/);
  expect(upload).toMatchObject({ 'transfer-encoding': 'chunked', 'x-auth-token': 'token' });
  expect(upload).not.toHaveProperty('content-length');
  expect(code).toBe(0);
  expect(removed).toBe(true);
});

test.each<[string, Edge['put'], RegExp]>([
  ['gives up', (_, response) => response.writeHead(504).end(), /was answered 504 .*\nThe edge does NOT carry/],
  ['cuts the connection', (request) => request.once('data', () => request.destroy()), /was cut .*\nThe edge does NOT/],
  [
    'keeps a part to itself',
    (request, response) => {
      request.removeAllListeners('data').resume();
      request.on('end', () => response.writeHead(204).end());
    },
    /was answered 204 .* 0 of 32768 bytes\nThe edge does NOT carry/,
  ],
])('an edge that %s is told from one that carries slow uploads', async (_, put, message) => {
  const { code, said, removed } = await tried({ put });

  expect(said).toMatch(message);
  expect(code).toBe(1);
  expect(removed).toBe(true);
});
