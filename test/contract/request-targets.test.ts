/** Whatever a client writes in place of a path: every port answers it, nobody but the configured API is asked, the process lives. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byPath, forwardTo } from '../../gateway/forward.ts';
import { createGatewayServer } from '../../gateway/serve.ts';
import { type Listener, listen } from '../../local/front.ts';
import { type FrontDoor, takeFrontDoor } from '../../scripts/front-door.ts';

const servers: Server[] = [];
async function opened(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const reached: string[] = [];
const strayed: string[] = [];
let decoy: number;
let embedded: Listener;
let door: FrontDoor;
let ports: Readonly<Record<'bare' | 'gateway' | 'front door' | 'embedded AWS', number>>;

beforeAll(async () => {
  decoy = await opened(
    createServer((request, response) => {
      strayed.push(String(request.url));
      response.end('stolen');
    }),
  );
  const api = await opened(
    createServer((request, response) => {
      reached.push(String(request.url));
      response.end('{}');
    }),
  );
  const forward = forwardTo(`http://127.0.0.1:${api}`);
  const bytes: RequestListener = (_request, response) => void response.writeHead(204).end();
  embedded = await listen((_request, response) => void response.end('{}'), 0, { hosts: ['glimpse.test'] });
  door = await takeFrontDoor(0, { hosts: ['glimpse.test'] });
  door.open({ images: forward, identity: forward, metadefs: forward, gateway: bytes });
  ports = {
    bare: await opened(createServer(forward)),
    gateway: await opened(createGatewayServer(byPath(bytes, forward)).server),
    'front door': door.port,
    'embedded AWS': embedded.port,
  };
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await Promise.all([door.close(), embedded.close()]);
});

/** The status of the answer to a request line as it stands; 0 when the connection just ends. */
function statusOf(port: number, method: string, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setTimeout(60_000, () => reject(new Error(`no answer to ${JSON.stringify(target)}`)));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => resolve(0));
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)));
    socket.write(
      `${method} ${target} HTTP/1.1\r\nhost: glimpse.test\r\nx-auth-token: secret\r\nconnection: close\r\n\r\n`,
      'latin1',
    );
  });
}

const NAMES = ['bare', 'gateway', 'front door', 'embedded AWS'] as const;

describe.each(NAMES)('the %s port', (name) => {
  test.each([
    ['two slashes', () => '//a:b/'],
    ['another host', () => `//127.0.0.1:${decoy}/v2/images`],
    ['an absolute form', () => `http://127.0.0.1:${decoy}/v2/images`],
    ['an absolute form of no host', () => 'http:///'],
    ['a slash and a backslash', () => `/\\127.0.0.1:${decoy}/v2`],
    ['three slashes', () => '///'],
    ['no slash', () => 'v2/images'],
    ['an asterisk', () => '*'],
    ['a query alone', () => '?limit=1'],
    ['a control character', () => '/v2/\x01images'],
    ['a delete character', () => '/v2/\x7f'],
  ])('refuses %s with 400', async (_what, target) => {
    expect(await statusOf(ports[name], 'GET', target())).toBe(400);
  });

  test.each(['/', '/v2/images?limit=1', '/v2//images', '/v2/images/%2F%2Fhost/tags/%00', '/@host:1/x', '/.//x'])(
    'passes %s on as it stands',
    async (target) => {
      expect(await statusOf(ports[name], 'GET', target)).toBe(200);
      if (name !== 'embedded AWS') expect(reached.at(-1)).toBe(target);
    },
  );

  test('answers whatever else is sent, and goes on answering', async () => {
    const pieces = [
      '/',
      '//',
      '\\',
      ':',
      '@',
      '?',
      '#',
      '%',
      '%2F',
      '%zz',
      '..',
      '.',
      '[',
      ']',
      'http:',
      `127.0.0.1:${decoy}`,
      'v2',
      '\u00ff',
      '\x02',
    ];
    const targets = fc.sample(
      fc.oneof(
        fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 }).map((parts) => parts.join('')),
        fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }).map((text) => text.replace(/[\r\n ]/g, '')),
      ),
      { numRuns: 200, seed: 7 },
    );
    const odd: [string, number][] = [];
    for (const target of targets.filter((text) => text !== '')) {
      const status = await statusOf(ports[name], 'GET', target);
      if (status !== 200 && status !== 204 && !(status >= 400 && status < 500)) odd.push([target, status]);
    }

    expect(odd).toEqual([]);
    expect(await statusOf(ports[name], 'GET', '/')).toBe(200);
    expect(strayed).toEqual([]);
  });
});
