/** Slow readers: they hold little, they hurry or go while others wait, and nobody else notices them. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type GatewayRig, OCTETS, startGateway } from '../support/gateway.ts';

const MIB = 1024 * 1024;
const PATIENCE = { timeout: 60_000 };
const SIZE = 24 * MIB;
/** Two slices full of data: a reader has a connection to the store for each. */
const BYTES = randomBytes(SIZE);
let rig: GatewayRig;
let sockets: Socket[];

beforeEach(() => {
  sockets = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await rig.close();
});

interface Reader {
  /** Bytes of the answer's body so far, heads aside. */
  readonly body: () => Buffer;
  readonly head: () => string;
  readonly closed: () => boolean;
  /** Reads on. */
  readonly resume: () => void;
}

/** That everybody may read. */
async function anImage(): Promise<string> {
  const { id } = await rig.image({ owner: 'demo', visibility: 'public' });
  const headers = { ...OCTETS, 'x-auth-token': 'demo' };
  expect((await rig.send('PUT', `/v2/images/${id}/file`, { headers, body: BYTES })).status).toBe(204);
  return id;
}

/** Asks for the whole image on a connection of its own, and takes nothing after the head, or `dripping`: a chunk now and then. */
async function slow(project: string, id: string, dripping = false): Promise<Reader> {
  const socket = connect({ port: rig.port, host: '127.0.0.1' });
  sockets.push(socket);
  const chunks: Buffer[] = [];
  let closed = false;
  let paused = true;
  let drip: NodeJS.Timeout | undefined;
  socket.on('close', () => {
    closed = true;
    clearInterval(drip);
  });
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    if (paused) socket.pause();
  });
  if (dripping) drip = setInterval(() => socket.resume(), 100);
  socket.write(`GET /v2/images/${id}/file HTTP/1.1\r\nhost: x\r\nx-auth-token: ${project}\r\n\r\n`);
  const all = (): Buffer => Buffer.concat(chunks);
  const headEnd = (): number => all().indexOf('\r\n\r\n') + 4;
  await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
  return {
    head: () => all().subarray(0, headEnd()).toString(),
    body: () => all().subarray(headEnd()),
    closed: () => closed,
    resume() {
      paused = false;
      socket.resume();
    },
  };
}

async function honest(project: string, id: string): Promise<boolean> {
  const { status, body } = await rig.send('GET', `/v2/images/${id}/file`, { headers: { 'x-auth-token': project } });
  return status === 200 && body.equals(BYTES);
}

it('lets a reader through beside 120 that take nothing, cuts none of them, and goes on when they do', async () => {
  rig = await startGateway({}, { downloadBudgetBytes: 256 * MIB });
  const id = await anImage();
  const stalled = await Promise.all(Array.from({ length: 120 }, () => slow('demo', id)));

  expect(await honest('demo', id)).toBe(true);
  expect(stalled.filter(({ closed }) => closed())).toEqual([]);
  expect(stalled.filter(({ head }) => !head().startsWith('HTTP/1.1 200 '))).toEqual([]);

  for (const reader of stalled.slice(0, 3)) reader.resume();
  await vi.waitFor(() => {
    for (const reader of stalled.slice(0, 3)) expect(reader.body().equals(BYTES)).toBe(true);
  }, PATIENCE);
}, 180_000);

it('leaves the store to uploads, too', async () => {
  rig = await startGateway({}, { downloadBudgetBytes: 256 * MIB });
  const id = await anImage();
  await Promise.all(Array.from({ length: 100 }, () => slow('demo', id)));

  await anImage();
}, 180_000);

it('ends a reader that takes nothing for too long, though nobody waits', async () => {
  rig = await startGateway({}, { stallMs: 500 });
  const id = await anImage();

  const stalled = await slow('demo', id);

  await vi.waitFor(() => expect(rig.open()).toBe(0), PATIENCE);
  stalled.resume();
  await vi.waitFor(() => expect(stalled.closed()).toBe(true), PATIENCE);
  expect(stalled.body().length).toBeLessThan(SIZE);
});

it('ends readers that hardly read while others wait for the memory they hold', async () => {
  rig = await startGateway({}, { downloadBudgetBytes: 8 * MIB, pace: { bytesPerSecond: 4 * MIB, windowMs: 500 } });
  const id = await anImage();
  await Promise.all(Array.from({ length: 8 }, (_, n) => slow(`p${n}`, id, true)));

  expect(await honest('demo', id)).toBe(true);
});

it('tells who gets no room in time to come back', async () => {
  rig = await startGateway({}, { downloadBudgetBytes: 2 * MIB, bufferWaitMs: 300 });
  const id = await anImage();
  await slow('demo', id);
  await slow('other', id);

  const answer = await rig.send('GET', `/v2/images/${id}/file`);

  expect([answer.status, Number(answer.headers['retry-after']) > 0]).toEqual([503, true]);
});

it('keeps room for another project beside one whose readers take nothing', async () => {
  rig = await startGateway({}, { downloadBudgetBytes: 6 * MIB, bufferWaitMs: 300 });
  const id = await anImage();
  await Promise.all(Array.from({ length: 4 }, () => slow('demo', id)));

  const refused = await rig.send('GET', `/v2/images/${id}/file`);

  expect(refused.status).toBe(503);
  expect(await honest('other', id)).toBe(true);
});

it('answers a range, and an image without bytes, as ever when all is quiet again', async () => {
  rig = await startGateway({}, { downloadBudgetBytes: MIB });
  const id = await anImage();
  const queued = await rig.image();
  for (let n = 0; n < 3; n++) expect(await honest('demo', id)).toBe(true);

  const part = await rig.send('GET', `/v2/images/${id}/file`, { headers: { range: 'bytes=100-199' } });
  const empty = await rig.send('GET', `/v2/images/${queued.id}/file`);

  expect([part.status, part.body.equals(BYTES.subarray(100, 200)), empty.status]).toEqual([206, true, 204]);
});
