/** What every port refuses before anybody works for it: foreign names, foreign pages, late headers, bodies that do not come. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byPath } from '../../gateway/forward.ts';
import { createGatewayServer, type GatewayServer } from '../../gateway/serve.ts';
import { type Listener, listen } from '../../local/front.ts';
import { type FrontDoor, takeFrontDoor } from '../../scripts/front-door.ts';
import { type GatewayRig, startGateway } from '../support/gateway.ts';

let door: FrontDoor;
let aws: Listener;
let own: GatewayServer;
let worked = 0;
/** More than sockets hold. */
const LARGE = Buffer.alloc(32 * 1024 * 1024, 1);

beforeAll(async () => {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    worked += 1;
    request.on('error', () => undefined).on('end', () => response.end(request.url === '/large' ? LARGE : 'done'));
    request.resume();
  };
  door = await takeFrontDoor(0, {
    hosts: ['glimpse.example'],
    origins: ['https://console.example'],
    headersMs: 300,
    clientMs: 300,
  });
  door.open({ images: answer, identity: answer, metadefs: answer, gateway: answer });
  aws = await listen(answer, 0, {
    hosts: ['glimpse.example'],
    headersMs: 300,
    silenceMs: 300,
  });
  own = createGatewayServer(byPath(answer, answer, 300));
  own.server.listen(0, '127.0.0.1');
  await once(own.server, 'listening');
});
afterAll(() => Promise.all([door.close(), aws.close(), own.drain(0)]));

/** What comes back on a connection of its own until it closes. */
const say = (port: number, ...lines: string[]): Promise<string> => converse(port, lines.join('\r\n'));

/** The same, with `body` sent once a 100 is here. */
async function converse(port: number, head: string, body?: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.on('data', (chunk) => {
    said += String(chunk);
    if (body !== undefined && said === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write(body);
  });
  socket.on('error', () => undefined);
  socket.write(head);
  await once(socket, 'close');
  return said;
}

const ask = async (port: number, ...headers: string[]): Promise<number> =>
  Number((await say(port, 'GET /v2/images HTTP/1.1', ...headers, 'connection: close', '', '')).split(' ')[1]);

const PORTS = [
  ['front door', () => door.port],
  ['embedded AWS', () => aws.port],
] as const;

describe.each(PORTS)('%s', (_name, port) => {
  it.each([
    'localhost',
    'localhost:1234',
    'LOCALHOST.',
    '127.0.0.1:9292',
    '127.8.8.8',
    '[::1]:80',
    'bucket.localhost',
    'glimpse.example',
    'Glimpse.Example:443',
  ])('answers what was sent to %s', async (host) => {
    expect(await ask(port(), `host: ${host}`)).toBe(200);
  });

  it.each([
    'attacker.example',
    'attacker.example:9292',
    'localhost.attacker.example',
    '127.0.0.1.attacker.example',
    '10.0.0.1',
    'x@localhost',
    'glimpse.example.attacker.example',
  ])('refuses what was sent to %s with 421, and does nothing', async (host) => {
    const before = worked;

    expect(await ask(port(), `host: ${host}`)).toBe(421);
    expect(worked).toBe(before);
  });

  it('gives up a client whose headers do not come, and one whose body does not', async () => {
    expect(await say(port(), 'GET / HTTP/1.1', 'host: localhost', 'x')).toMatch(/^HTTP\/1\.1 408 /);
    const body = ['POST /v2/images HTTP/1.1', 'host: localhost', 'content-length: 10', '', '123'];
    expect(await say(port(), ...body)).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('front door', () => {
  const post = async (...headers: string[]): Promise<string> =>
    (
      await say(
        door.port,
        'POST /identity/v3/auth/tokens HTTP/1.1',
        'host: localhost',
        'content-length: 0',
        ...headers,
        'connection: close',
        '',
        '',
      )
    ).split(' ')[1] ?? '';

  it('lets pages of this machine, of origins that CORS is answered for, and what is no page, change things', async () => {
    for (const headers of [
      [],
      ['origin: http://localhost:3000'],
      ['origin: https://console.example'],
      ['origin: https://console.example', 'sec-fetch-site: cross-site'],
    ])
      expect(await post(...headers), headers.join()).toBe('200');
  });

  it.each([
    ['origin: https://attacker.example'],
    ['origin: null'],
    ['origin: https://console.example.attacker.example'],
    ['sec-fetch-site: cross-site'],
  ])('refuses what a page of another site sends with %s, and does nothing', async (header) => {
    const before = worked;

    expect(await post(header)).toBe('403');
    expect(worked).toBe(before);
    expect(await ask(door.port, 'host: localhost', header)).toBe(200);
  });
});

describe.each([
  ['front door', () => door.port],
  ['gateway’s own process', () => (own.server.address() as AddressInfo).port],
] as const)('%s', (_name, port) => {
  it('gives up a client whose JSON drips, and lets image bytes take their time', async () => {
    const drip = async (path: string): Promise<string> => {
      const socket = connect(port(), '127.0.0.1');
      let said = '';
      socket.on('data', (chunk) => {
        said += String(chunk);
      });
      socket.on('error', () => undefined);
      socket.write(
        [`PUT ${path} HTTP/1.1`, 'host: localhost', 'content-length: 20', 'connection: close', '', ''].join('\r\n'),
      );
      const dripping = setInterval(() => socket.write('.'), 50);
      // By a reset, when a drop met a closed end.
      await new Promise((resolve) => socket.once('close', resolve));
      clearInterval(dripping);
      return said;
    };

    expect(await drip('/v2/images')).toMatch(/^HTTP\/1\.1 408 /);
    expect(await drip('/v2/images/11111111-2222-4333-8444-555555555555/file')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('gives up a client that does not take its answer', async () => {
    const socket = connect(port(), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(socket, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 2_000));

    let taken = 0;
    socket.on('data', (chunk) => {
      taken += chunk.length;
    });
    await once(socket, 'close');

    expect(taken).toBeLessThan(LARGE.length);
  });
});

describe('embedded AWS', () => {
  it.each([
    ['origin: https://attacker.example'],
    ['origin: null'],
    ['origin: http://localhost.attacker.example'],
    ['origin: http://x@localhost'],
    ['sec-fetch-site: cross-site'],
    ['origin: http://localhost:8000', 'sec-fetch-site: cross-site'],
  ])('refuses a page of another site (%s) with 403, and does nothing', async (...headers) => {
    const before = worked;

    expect(await ask(aws.port, 'host: localhost', ...headers)).toBe(403);
    expect(worked).toBe(before);
  });

  it.each([
    ['origin: http://localhost:9292'],
    ['origin: http://127.0.0.1:9292', 'sec-fetch-site: same-site'],
    ['sec-fetch-site: none'],
    ['sec-fetch-site: same-origin'],
  ])('answers a page of this machine (%s)', async (...headers) => {
    expect(await ask(aws.port, 'host: localhost', ...headers)).toBe(200);
  });

  it('tells who is refused before he sends the body, and all others to go on', async () => {
    const put = ['PUT /b/k HTTP/1.1', 'content-length: 1', 'expect: 100-continue', 'connection: close'];

    const refused = await say(aws.port, ...put, 'host: localhost', 'origin: https://attacker.example', '', '');
    const taken = await say(aws.port, ...put, 'host: localhost', '', '1');

    expect(refused).toMatch(/^HTTP\/1\.1 403 /);
    expect(taken).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  });
});

describe('Expect: 100-continue on PUT file', () => {
  let rig: GatewayRig;
  beforeAll(async () => {
    rig = await startGateway({ image_size_cap: 1000 });
  });
  afterAll(() => rig.close());

  const put = (id: string, length: number): Promise<string> =>
    converse(
      rig.port,
      [
        `PUT /v2/images/${id}/file HTTP/1.1`,
        'host: localhost',
        'x-auth-token: demo',
        'content-type: application/octet-stream',
        `content-length: ${length}`,
        'expect: 100-continue',
        'connection: close',
        '',
        '',
      ].join('\r\n'),
      'x'.repeat(length),
    );

  it('is refused without a 100 when the image is held, too large, or unknown', async () => {
    const [held, free] = [await rig.image({ status: 'active' }), await rig.image()];

    expect(await put(held.id, 10)).toMatch(/^HTTP\/1\.1 409 /);
    expect(await put(free.id, 1001)).toMatch(/^HTTP\/1\.1 413 /);
    expect(await put('11111111-2222-4333-8444-555555555555', 10)).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('gets its 100 when the upload is taken', async () => {
    const { id } = await rig.image();

    expect(await put(id, 3)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 204 /);
  });
});
