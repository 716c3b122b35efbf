import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createGatewayServer } from '../../gateway/serve.ts';
import { createGateway } from '../../gateway/server.ts';
import { type GatewayRig, OCTETS, startGateway } from '../support/gateway.ts';

/** A slow machine is no failure. */
const PATIENCE = { timeout: 60_000 };

let rig: GatewayRig;
beforeAll(async () => {
  rig = await startGateway();
});
afterAll(() => rig.close());

it('is healthy until it drains, and then ends when its last upload has', async () => {
  const image = await rig.image();
  const { server, drain } = createGatewayServer(createGateway(rig.deps));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = { port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false } as const;
  const health = await fetch(`http://127.0.0.1:${at.port}/healthcheck`);
  const upload = request({
    ...at,
    method: 'PUT',
    path: `/v2/images/${image.id}/file`,
    headers: { ...OCTETS, 'x-auth-token': 'demo' },
  });
  const answered = new Promise<number>((resolve, reject) => {
    upload.on('response', (answer) => resolve(answer.resume().statusCode ?? 0)).on('error', reject);
  });
  upload.write(randomBytes(1000));
  await vi.waitFor(async () => expect((await rig.show(image.id))?.status).toBe('saving'), PATIENCE);

  const drained = drain(30_000);
  await expect(fetch(`http://127.0.0.1:${at.port}/healthcheck`)).rejects.toThrow();
  upload.end(randomBytes(1000));

  expect([health.status, await answered]).toEqual([200, 204]);
  await drained;
  expect(await rig.show(image.id)).toMatchObject({ status: 'active', size: 2000 });
});

it('cuts what has not ended after the grace', async () => {
  const image = await rig.image();
  const { server, drain } = createGatewayServer(createGateway(rig.deps));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upload = request({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    agent: false,
    method: 'PUT',
    path: `/v2/images/${image.id}/file`,
    headers: { ...OCTETS, 'x-auth-token': 'demo' },
  });
  const broken = new Promise((resolve) => upload.on('error', resolve));
  upload.write(randomBytes(1000));
  await vi.waitFor(async () => expect((await rig.show(image.id))?.status).toBe('saving'), PATIENCE);

  await drain(10);

  await broken;
  await vi.waitFor(
    async () => expect(await rig.show(image.id)).toMatchObject({ status: 'queued', lock: null }),
    PATIENCE,
  );
});
