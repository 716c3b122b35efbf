import { randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { DeleteObjectsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { copyStored } from '../../bytes/copy.ts';
import { imagePrefix, segmentKey } from '../../bytes/keys.ts';
import type { Image } from '../../core/images/image.ts';
import { type GatewayRig, OCTETS, startGateway } from '../support/gateway.ts';

const MIB = 1024 * 1024;
let rig: GatewayRig;
/** 40 MiB and a bit: data, a hole within a slice, an empty slice, data at the end. */
const BYTES = Buffer.alloc(56 * MIB + 777);
let sparse: string;
let plain: string;

const file = (id: string): string => `/v2/images/${id}/file`;

async function upload(bytes: Uint8Array, store: string): Promise<string> {
  const { id } = await rig.image();
  const answer = await rig.send('PUT', file(id), { headers: { ...OCTETS, 'x-image-meta-store': store }, body: bytes });
  expect(answer.status).toBe(204);
  return id;
}

/** The copy in its one store, and where it lies. */
async function locationOf(id: string): Promise<{ image: Image; store: string; prefix: string }> {
  const image = (await rig.show(id)) as Image;
  const { store, writeId } = image.locations[0]!;
  return { image, store, prefix: imagePrefix(id, writeId!) };
}

async function removeObjects(place: string, prefix: string): Promise<void> {
  const { client, bucket } = rig.s3.s3(place);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  await client.send(
    new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key: Key! })) } }),
  );
}

beforeAll(async () => {
  rig = await startGateway();
  randomBytes(3 * MIB + 5).copy(BYTES, 100);
  randomBytes(2 * MIB).copy(BYTES, 12 * MIB + 70_001);
  randomBytes(24 * MIB).copy(BYTES, 32 * MIB + 777);
  sparse = await upload(BYTES, 'central');
  plain = await upload(BYTES, 'plain');
});
afterAll(() => rig.close());

describe('GET file', () => {
  it('reads any range of either layout as memory does', async () => {
    const point = fc.oneof(
      fc.integer({ min: 0, max: BYTES.length - 1 }),
      // Around the edges of slices and blocks.
      fc
        .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -2, max: 2 }), fc.constantFrom(0, 65_536, 12 * MIB))
        .map(([slice, by, block]) => Math.min(BYTES.length - 1, Math.max(0, slice * 16 * MIB + block + by))),
    );
    await fc.assert(
      fc.asyncProperty(point, point, fc.boolean(), async (a, b, packed) => {
        const [first, last] = a < b ? [a, b] : [b, a];

        const answer = await rig.send('GET', file(packed ? sparse : plain), {
          headers: { range: `bytes=${first}-${last}` },
        });

        expect(answer.status).toBe(206);
        expect(answer.headers['content-range']).toBe(`bytes ${first}-${last}/${BYTES.length}`);
        expect(answer.headers['content-length']).toBe(String(last - first + 1));
        expect(answer.body.equals(BYTES.subarray(first, last + 1))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  const size = BYTES.length;
  it.each([
    ['bytes=0-0', undefined, 206, 0, 1],
    ['bytes=10-', undefined, 206, 10, size],
    ['bytes=-10', undefined, 206, size - 10, size],
    [`bytes=-${size + 5}`, undefined, 206, 0, size],
    [`bytes=5-${size + 99}`, undefined, 206, 5, size],
    [undefined, 'bytes 2-5/*', 206, 2, 6],
    [undefined, `bytes 2-5/${size}`, 206, 2, 6],
  ] as const)('Range %s, Content-Range %s: %i', async (range, contentRange, status, start, end) => {
    const headers = { range, 'content-range': contentRange };

    const answer = await rig.send('GET', file(sparse), { headers });

    expect(answer.status).toBe(status);
    expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/${size}`);
    expect(answer.body.equals(BYTES.subarray(start, end))).toBe(true);
  });

  it.each([
    ['bytes=0-1,5-6', undefined, 400],
    ['bytes=5-2', undefined, 416],
    [`bytes=${size}-`, undefined, 416],
    ['lines=1-2', undefined, 416],
    ['bytes=-', undefined, 416],
    ['bytes=-0', undefined, 416],
    [undefined, `bytes 2-${size}/*`, 416],
    [undefined, 'bytes 2/5', 416],
  ] as const)('Range %s, Content-Range %s: %i', async (range, contentRange, status) => {
    const headers = { range, 'content-range': contentRange };

    const answer = await rig.send('GET', file(sparse), { headers });

    expect(answer.status).toBe(status);
    expect(answer.headers['content-range']).toBeUndefined();
  });

  it('honours If-Range when it names these bytes, and sends the whole otherwise', async () => {
    const { etag = '' } = (await rig.send('GET', file(sparse))).headers;
    const range = 'bytes=10-19';
    const ask = (ifRange: string) => rig.send('GET', file(sparse), { headers: { range, 'if-range': ifRange } });

    const same = await ask(etag);
    const others = await Promise.all(
      ['"another"', `W/${etag}`, 'Wed, 21 Oct 2015 07:28:00 GMT', 'nonsense'].map((ifRange) => ask(ifRange)),
    );

    expect(etag).toMatch(/^"[0-9a-f]{128}"$/);
    expect([same.status, same.body.equals(BYTES.subarray(10, 20))]).toEqual([206, true]);
    for (const other of others) {
      expect(other.status).toBe(200);
      expect(other.headers['content-range']).toBeUndefined();
      expect(other.body.equals(BYTES)).toBe(true);
    }
  });

  it('refuses a range of an empty image with 416', async () => {
    const id = await upload(Buffer.alloc(0), 'central');

    const answer = await rig.send('GET', file(id), { headers: { range: 'bytes=0-' } });

    expect(answer.status).toBe(416);
  });

  it.each(['queued', 'uploading', 'importing', 'saving'] as const)('answers 204 for a %s image', async (status) => {
    const image = await rig.image({ status, size: status === 'queued' ? null : 10 });

    const whole = await rig.send('GET', file(image.id));
    const range = await rig.send('GET', file(image.id), { headers: { range: 'bytes=0-1' } });

    expect([whole.status, range.status]).toEqual([204, 204]);
    expect(whole.headers['content-md5']).toBeUndefined();
  });

  it('answers 204 when the objects are gone from every store', async () => {
    const id = await upload(randomBytes(1000), 'central');
    const { store, prefix } = await locationOf(id);
    await removeObjects(store, prefix);

    const answer = await rig.send('GET', file(id));

    expect(answer.status).toBe(204);
  });

  it('refuses: no token, unknown or invisible image, policy, deactivated, a body, an unknown store', async () => {
    const foreign = await rig.image({ owner: 'alt' });
    const deactivated = await upload(Buffer.from('data'), 'central');
    await rig.deps.images.change(deactivated, { expect: { status: ['active'] }, set: { status: 'deactivated' } });

    const statuses = [
      await rig.send('GET', file(sparse), { headers: { 'x-auth-token': undefined } }),
      await rig.send('GET', file(randomUUID())),
      await rig.send('GET', file(foreign.id)),
      await rig.send('GET', file(deactivated)),
      await rig.send('GET', file(deactivated), { headers: { 'x-auth-token': 'admin' } }),
      await rig.send('GET', file(sparse), { headers: { 'content-length': 4 }, body: Buffer.from('body') }),
      await rig.send('GET', `${file(sparse)}?prefer=nowhere`),
    ].map(({ status }) => status);
    rig.denied.add('download_image');
    const denied = await rig.send('GET', file(sparse));
    rig.denied.add('get_image');
    const hidden = await rig.send('GET', file(sparse));
    rig.denied.clear();

    expect(statuses).toEqual([401, 404, 404, 403, 200, 400, 400]);
    expect([denied.status, hidden.status]).toEqual([403, 404]);
  });

  it('answers 503 when the store does not, and nothing of the inside', async () => {
    rig.s3.faults.set('central', { status: 503, code: 'ServiceUnavailable' });

    const answer = await rig.send('GET', file(sparse));
    rig.s3.faults.set('central', undefined);

    expect(answer.status).toBe(503);
    expect(answer.body.toString()).not.toContain('images/');
  });

  it('prefers a store when asked, and falls back to the others', async () => {
    const id = await upload(BYTES, 'central');
    const { image, prefix } = await locationOf(id);
    const to = rig.s3.s3('plain');
    const stored = { place: 'central', prefix, layout: 'sparse', size: BYTES.length } as const;
    await copyStored(rig.s3.places, stored, to, prefix);
    await rig.deps.images.change(id, { addLocations: [{ ...image.locations[0]!, store: 'plain' }] });
    rig.s3.faults.set('central', { status: 503, code: 'ServiceUnavailable' });

    const preferred = await rig.send('GET', `${file(id)}?prefer=plain`);
    const fallback = await rig.send('GET', `${file(id)}?prefer=central,plain`);
    rig.s3.faults.set('central', undefined);

    expect([preferred.status, fallback.status]).toEqual([200, 200]);
    expect(fallback.body.equals(BYTES)).toBe(true);
  });

  it('goes on with another copy when one breaks in the middle', async () => {
    const id = await upload(BYTES, 'central');
    const { image, prefix } = await locationOf(id);
    const stored = { place: 'central', prefix, layout: 'sparse', size: BYTES.length } as const;
    await copyStored(rig.s3.places, stored, rig.s3.places.store('plain'), prefix);
    await rig.deps.images.change(id, { addLocations: [{ ...image.locations[0]!, store: 'plain', addedAtMs: 9e15 }] });
    await removeObjects('central', segmentKey(prefix, 2));

    const answer = await rig.send('GET', file(id));

    expect(answer.status).toBe(200);
    expect(answer.body.equals(BYTES)).toBe(true);
  });

  it('breaks the connection rather than pass bytes whose checksum is wrong as complete', async () => {
    const id = await upload(BYTES, 'central');
    const { prefix } = await locationOf(id);
    const { client, bucket } = rig.s3.s3('central');
    const damaged = Buffer.from(BYTES.subarray(32 * MIB, 48 * MIB));
    damaged[5_000_000] = (damaged[5_000_000] ?? 0) ^ 1;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: segmentKey(prefix, 2), Body: damaged }));

    await expect(rig.send('GET', file(id))).rejects.toThrow();
  });

  it('lets go of the store when the client disconnects', async () => {
    const socket = connect(rig.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`GET ${file(plain)} HTTP/1.1\r\nhost: x\r\nx-auth-token: demo\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));

    socket.destroy();

    const { client } = rig.s3.s3('plain');
    const handler = client.config.requestHandler as unknown as { config?: { httpAgent?: { sockets: object } } };
    await vi.waitFor(
      () => {
        const busy = Object.values(handler.config?.httpAgent?.sockets ?? {}).flat();
        expect(busy).toHaveLength(0);
      },
      { timeout: 60_000 },
    );
  });
});
