/** Slow clients: they hold little, they are asked to hurry while others wait, and nobody else notices them. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type GatewayRig, OCTETS, startGateway } from '../support/gateway.ts';

const MIB = 1024 * 1024;
const PATIENCE = { timeout: 60_000 };
let rig: GatewayRig;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  rig = await startGateway(
    {},
    { uploadBudgetBytes: 64 * MIB, pace: { bytesPerSecond: 16 * 1024, windowMs: 1_000 }, bufferWaitMs: 10_000 },
  );
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await rig.close();
});

/** Begins an upload on a connection of its own, sends `bytes` and then hardly anything. */
async function trickle(project: string, bytes: number): Promise<{ said: () => string }> {
  const { id } = await rig.image({ owner: project });
  const socket = connect(rig.port, '127.0.0.1');
  sockets.push(socket);
  let said = '';
  socket.on('data', (chunk) => {
    said += String(chunk);
  });
  socket.on('error', () => undefined);
  socket.write(
    `PUT /v2/images/${id}/file HTTP/1.1\r\nhost: x\r\nx-auth-token: ${project}\r\ncontent-type: application/octet-stream\r\ncontent-length: ${20 * MIB}\r\n\r\n`,
  );
  socket.write(Buffer.alloc(bytes, 1));
  const dripping = setInterval(() => socket.write('.'), 100);
  socket.on('close', () => clearInterval(dripping));
  await vi.waitFor(async () => expect((await rig.show(id))?.status).toBe('saving'), PATIENCE);
  return { said: () => said };
}

async function honest(project: string): Promise<number> {
  const { id } = await rig.image({ owner: project });
  const headers = { ...OCTETS, 'x-auth-token': project };
  return (await rig.send('PUT', `/v2/images/${id}/file`, { headers, body: randomBytes(20 * MIB) })).status;
}

it('lets an upload through beside many connections that hardly send, and cuts none of them', async () => {
  const slow = await Promise.all(Array.from({ length: 20 }, () => trickle('demo', 1)));

  const status = await honest('demo');

  expect(status).toBe(204);
  expect(slow.map(({ said }) => said()).filter((text) => text !== '')).toEqual([]);
});

it('asks slow clients that hold the memory others wait for to go, with 408', async () => {
  const slow = await Promise.all(Array.from({ length: 8 }, (_, n) => trickle(`p${n}`, 300_000)));

  const status = await honest('demo');

  expect(status).toBe(204);
  expect(slow.map(({ said }) => said().split('\r\n', 1)[0])).toContain('HTTP/1.1 408 Request Timeout');
});

it('keeps room for another project beside one whose slow clients fill their share', async () => {
  await Promise.all(Array.from({ length: 6 }, () => trickle('demo', 300_000)));

  expect(await honest('other')).toBe(204);
});
