import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WideReadsAgent } from '../../../../aws/s3/wide-reads.ts';

const BYTES = randomBytes(8 * 1024 * 1024 + 7);
const agent = new WideReadsAgent({ keepAlive: true, maxSockets: 3 });
let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    const from = Number(request.url?.slice(1));
    if (request.headers['x-cut'] === undefined) response.end(BYTES.subarray(from));
    else
      response
        .writeHead(200, { 'content-length': BYTES.length })
        .write(BYTES.subarray(from, 100), () => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  agent.destroy();
  server.close();
});

async function open(from: number, headers: Record<string, string> = {}, by = agent): Promise<IncomingMessage> {
  const [answer] = await once(get({ port, path: `/${from}`, agent: by, headers }), 'response');
  return answer;
}

/** All chunks, looked at only when the last one is here. */
async function kept(body: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('WideReadsAgent', () => {
  it('gives chunks that later reads, of this and other sockets, leave alone', async () => {
    const bodies = await Promise.all([0, 1, 2].map(async (from) => kept(await open(from))));

    for (const [from, body] of bodies.entries()) expect(body.equals(BYTES.subarray(from))).toBe(true);
  });

  it('reads more than 64 KiB at a time', async () => {
    const body = await open(0);
    const lengths: number[] = [];
    for await (const chunk of body) lengths.push(chunk.length);

    expect(Math.max(...lengths)).toBeGreaterThan(64 * 1024);
  });

  it('reads as Node does, and the same bytes, on a version that no test was run on', async () => {
    const ordinary = new WideReadsAgent({ keepAlive: true }, '99.1.0');
    const body = await open(3, {}, ordinary);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    ordinary.destroy();

    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(64 * 1024);
    expect(Buffer.concat(chunks).equals(BYTES.subarray(3))).toBe(true);
  });

  it('keeps a body that nobody reads yet, while others are read, and their connections', async () => {
    const waiting = await open(5);
    for (let n = 0; n < 4; n++) expect((await kept(await open(n))).equals(BYTES.subarray(n))).toBe(true);

    expect(waiting.readableLength).toBeLessThan(1024 * 1024);
    expect((await kept(waiting)).equals(BYTES.subarray(5))).toBe(true);
    expect(Object.values(agent.freeSockets).flat().length).toBeGreaterThan(0);
  });

  it('fails a body that breaks off', async () => {
    await expect(kept(await open(0, { 'x-cut': 'yes' }))).rejects.toThrow('aborted');
  });
});
