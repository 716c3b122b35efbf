/** The edge forgets nothing that it is not told to forget: an origin that lacks a header, or counts on long ones, is found out. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { apiLimits, EDGE_SERVER, type EdgeOptions, edge } from '../../local/edge.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function opened(origin: RequestListener, options?: EdgeOptions): Promise<string> {
  const server = createServer(EDGE_SERVER, edge(origin, options)).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Knows one tenant; anybody else gets the error. */
const origin =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    if (request.headers['x-auth-token'] === 'owner') response.end('hers');
    else response.writeHead(status, headers).end('not yours');
  };

const ask = async (url: string, token: string, init: RequestInit = {}): Promise<[number, string]> => {
  const response = await fetch(url, { ...init, headers: { 'x-auth-token': token, ...init.headers } });
  return [response.status, await response.text()];
};

describe('errors', () => {
  it.each([400, 403, 404, 405, 416, 500, 502, 503, 504])('%d of one tenant answers the owner', async (status) => {
    const url = await opened(origin(status));

    expect(await ask(`${url}/a?b=1`, 'other')).toEqual([status, 'not yours']);
    expect(await ask(`${url}/a?b=1`, 'owner')).toEqual([status, 'not yours']);
    expect(await ask(`${url}/a?b=2`, 'owner')).toEqual([200, 'hers']);
    expect(await ask(`${url}/a?b=1`, 'owner', { method: 'POST' })).toEqual([200, 'hers']);
  });

  it.each(['no-store', 'private', 'no-cache', 'max-age=0'])('with cache-control %s do not', async (control) => {
    const url = await opened(origin(404, { 'cache-control': control }));

    expect(await ask(url, 'other')).toEqual([404, 'not yours']);
    expect(await ask(url, 'owner')).toEqual([200, 'hers']);
  });

  it.each([401, 409, 410])('%d is never kept', async (status) => {
    const url = await opened(origin(status));

    expect(await ask(url, 'other')).toEqual([status, 'not yours']);
    expect(await ask(url, 'owner')).toEqual([200, 'hers']);
  });

  it('are kept for their time, and answers never', async () => {
    const url = await opened(origin(404), { errorTtlMs: 2_000 });

    expect(await ask(url, 'owner')).toEqual([200, 'hers']);
    expect(await ask(url, 'other')).toEqual([404, 'not yours']);
    expect(await ask(url, 'owner')).toEqual([404, 'not yours']);
    await sleep(2_100);
    expect(await ask(url, 'owner')).toEqual([200, 'hers']);
  });

  it('keep headers that are given raw, as a forwarder does', async () => {
    const url = await opened((_request, response) => {
      response.writeHead(404, ['Cache-Control', 'no-store', 'X-A', '1', 'X-A', '2']).end();
    });
    const response = await fetch(url);

    expect([response.headers.get('cache-control'), response.headers.get('x-a')]).toEqual(['no-store', '1, 2']);
  });
});

describe('what a request may be', () => {
  const long = (bytes: number) => 'x'.repeat(bytes);

  it('a URL of 8,192 bytes', async () => {
    const url = await opened(origin(404));

    expect((await ask(`${url}/${long(8_191)}`, 'owner'))[0]).toBe(200);
    expect((await ask(`${url}/${long(8_192)}`, 'owner'))[0]).toBe(414);
  });

  it('32,768 bytes with all headers at the edge, 10,240 at an HTTP API', async () => {
    const bytes = await opened(origin(404));
    const api = await opened(apiLimits(origin(404)));
    const withHeader = (url: string, length: number) => ask(url, 'owner', { headers: { 'x-long': long(length) } });

    expect((await withHeader(bytes, 32_000))[0]).toBe(200);
    expect((await withHeader(bytes, 32_769))[0]).toBe(494);
    expect((await withHeader(api, 9_800))[0]).toBe(200);
    expect((await withHeader(api, 10_240))[0]).toBe(431);
    expect((await withHeader(api, 32_769))[0]).toBe(494);
  });
});
