import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { byPath, forwardTo } from '../../gateway/forward.ts';

const servers: Server[] = [];
async function listen(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(listener as never);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const seen: { url: string | undefined; headers: IncomingMessage['headers']; body: string }[] = [];
let front: string;

beforeAll(async () => {
  const api = await listen(async (request, response) => {
    seen.push({ url: request.url, headers: request.headers, body: await text(request) });
    if (request.url === '/big') return void response.end('x'.repeat(3_000_000));
    response.writeHead(201, { 'x-openstack-request-id': 'req-1', 'content-type': 'application/json' }).end('{"a":1}');
  });
  front = await listen(
    byPath((_request, response) => void response.writeHead(204, { 'x-by': 'gateway' }).end(), forwardTo(api)),
  );
});
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
});

test('image bytes stay, everything else reaches the API with path, query, headers and body', async () => {
  const bytes = await fetch(`${front}/v2.9/images/a/file?x=1`, { method: 'PUT', body: 'bytes' });
  const answer = await fetch(`${front}/v2/images?limit=2&marker=%2F`, {
    method: 'POST',
    body: '{"name":"é"}',
    headers: { 'x-auth-token': 'secret' },
  });

  expect(bytes.headers.get('x-by')).toBe('gateway');
  expect(answer.status).toBe(201);
  expect(answer.headers.get('x-openstack-request-id')).toBe('req-1');
  expect(await answer.json()).toEqual({ a: 1 });
  expect(seen.at(-1)).toMatchObject({
    url: '/v2/images?limit=2&marker=%2F',
    body: '{"name":"é"}',
    headers: { 'x-auth-token': 'secret' },
  });
});

test('a tag or a member named like a path of the gateway is the API’s', async () => {
  await fetch(`${front}/v2/images/a/tags/file`, { method: 'PUT' });

  expect(seen.at(-1)?.url).toBe('/v2/images/a/tags/file');
});

test('answers above a megabyte pass whole', async () => {
  const answer = await fetch(`${front}/big`);

  expect((await answer.text()).length).toBe(3_000_000);
});

test('the API sees its own host, and no header of the connection', async () => {
  await fetch(`${front}/v2`);

  expect(front).not.toContain(seen.at(-1)?.headers.host);
  expect(seen.at(-1)?.headers['te']).toBeUndefined();
});

test('answers 502 when the API is not there', async () => {
  const lost = await listen(forwardTo('http://127.0.0.1:1'));

  const answer = await fetch(`${lost}/v2`);

  expect(answer.status).toBe(502);
});

test('tells the API who the client is: whom the edge names, else the last hop, never what the client wrote', async () => {
  const seenBy: IncomingMessage['headers'][] = [];
  const api = await listen((request, response) => {
    seenBy.push(request.headers);
    response.end();
  });
  const knowing = await listen(forwardTo(api, 'of-the-edge'));
  const unknowing = await listen(forwardTo(api));
  const spoofed = { 'x-glimpse-client': '10.9.9.9', 'x-forwarded-for': '10.8.8.8, 203.0.113.5' };

  await fetch(knowing, { headers: { ...spoofed, 'x-glimpse-edge': 'of-the-edge' } });
  await fetch(knowing, { headers: { ...spoofed, 'x-glimpse-edge': 'guess' } });
  await fetch(knowing, { headers: { 'x-glimpse-client': '10.9.9.9' } });
  await fetch(unknowing, { headers: { ...spoofed, 'x-glimpse-edge': 'guess' } });

  expect(seenBy.map((headers) => [headers['x-glimpse-edge'], headers['x-glimpse-client']])).toEqual([
    ['of-the-edge', '10.9.9.9'],
    ['of-the-edge', '203.0.113.5'],
    ['of-the-edge', expect.stringMatching(/127\.0\.0\.1$/)],
    [undefined, undefined],
  ]);
});
