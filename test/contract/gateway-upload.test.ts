import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Image } from '../../core/images/image.ts';
import { type GatewayRig, OCTETS, type Sent, startGateway } from '../support/gateway.ts';

const MIB = 1024 * 1024;
/** A busy machine takes its time; whoever waits gets what he waits for. */
const PATIENCE = { timeout: 60_000 };
let rig: GatewayRig;

beforeAll(async () => {
  rig = await startGateway({ image_size_cap: 64 * MIB }, { stallMs: 1_000 });
});
afterAll(() => rig.close());

const digest = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex');
const file = (id: string): string => `/v2/images/${id}/file`;

function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Nothing of an image is left in any bucket. */
async function expectNoBytes(id: string): Promise<void> {
  for (const place of ['staging', 'central', 'plain']) {
    expect((await rig.s3.keys(place)).filter((key) => key.includes(id))).toEqual([]);
  }
}

describe('PUT file', () => {
  it.each([
    ['raw, packed sparse', 'raw', 'central', 40 * MIB + 12345, 'sparse'],
    ['raw in a store of plain files', 'raw', 'plain', 20 * MIB + 1, 'plain'],
    ['one small object', 'raw', 'plain', 1000, 'plain'],
    ['exactly two parts', 'raw', 'plain', 16 * MIB, 'plain'],
    ['exactly one slice', 'raw', 'central', 16 * MIB, 'sparse'],
  ] as const)('stores %s and gives it back', async (_name, diskFormat, store, size, layout) => {
    const image = await rig.image({ diskFormat });
    const bytes = randomBytes(size);

    const put = await rig.send('PUT', file(image.id), {
      headers: { ...OCTETS, 'x-image-meta-store': store },
      body: chunksOf(bytes, 100_000),
    });
    const shown = await rig.show(image.id);
    const got = await rig.send('GET', file(image.id));

    expect(put).toMatchObject({ status: 204, body: Buffer.alloc(0) });
    expect(put.headers['x-openstack-request-id']).toMatch(/^req-/);
    expect(shown).toMatchObject({
      status: 'active',
      size,
      virtualSize: size,
      checksum: digest('md5', bytes),
      hashAlgo: 'sha512',
      hashValue: digest('sha512', bytes),
      lock: null,
      locations: [{ store, layout }],
    });
    expect(got.status).toBe(200);
    expect(got.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(size),
      'content-md5': digest('md5', bytes),
    });
    expect(got.body.equals(bytes)).toBe(true);
    expect((await rig.duties()).filter((duty) => duty.imageId === image.id)).toEqual([]);
  });

  it('stores only the blocks that are not zero', async () => {
    const image = await rig.image();
    const bytes = Buffer.alloc(48 * MIB);
    randomBytes(100).copy(bytes, 33 * MIB);

    const put = await rig.send('PUT', file(image.id), { headers: OCTETS, body: chunksOf(bytes, MIB) });
    const got = await rig.send('GET', file(image.id));
    const shown = await rig.show(image.id);

    expect(put.status).toBe(204);
    expect(got.body.equals(bytes)).toBe(true);
    expect(shown?.locations[0]?.storedBytes).toBeLessThan(66_000);
    expect(shown?.locations[0]?.url).toMatch(/^glimpse\+s3:\/\/central\/images\/.*\/map$/);
    expect((await rig.s3.keys('central')).filter((key) => key.includes(image.id))).toHaveLength(2);
  });

  it('takes an empty body for a raw image', async () => {
    const image = await rig.image();

    const put = await rig.send('PUT', file(image.id), { headers: { ...OCTETS, 'content-length': 0 } });
    const got = await rig.send('GET', file(image.id));

    expect(put.status).toBe(204);
    expect(await rig.show(image.id)).toMatchObject({
      status: 'active',
      size: 0,
      checksum: digest('md5', Buffer.alloc(0)),
    });
    expect(got).toMatchObject({ status: 200, headers: { 'content-length': '0' } });
  });

  it.each<[string, number, Sent, Partial<Image>]>([
    ['no token', 401, { headers: { ...OCTETS, 'x-auth-token': undefined } }, {}],
    ['another content type', 415, { headers: { 'content-type': 'application/json' } }, {}],
    ['no content type', 415, {}, {}],
    ['an unknown store', 400, { headers: { ...OCTETS, 'x-image-meta-store': 'nowhere' } }, {}],
    ['an empty store', 400, { headers: { ...OCTETS, 'x-image-meta-store': '' } }, {}],
    ['a reserved store', 400, { headers: { ...OCTETS, 'x-image-meta-store': 'os_glance_tasks_store' } }, {}],
    ['a size that is no number', 400, { headers: { ...OCTETS, 'x-openstack-image-size': 'big' } }, {}],
    ['an image of another project', 404, { headers: OCTETS }, { owner: 'alt' }],
    ['an image that is active', 409, { headers: OCTETS }, { status: 'active' as const }],
    ['an image that somebody holds', 409, { headers: OCTETS }, { lock: 'task-1' }],
    ['an image without disk_format', 400, { headers: OCTETS }, { diskFormat: null }],
    ['an image without container_format', 400, { headers: OCTETS }, { containerFormat: null }],
    ['a declared size above image_size_cap', 413, { headers: { ...OCTETS, 'x-openstack-image-size': 65 * MIB } }, {}],
  ])('refuses %s with %i and changes nothing', async (_name, status, sent, attributes) => {
    const image = await rig.image(attributes);
    const before = await rig.show(image.id);

    const answer = await rig.send('PUT', file(image.id), { ...sent, body: Buffer.from('some bytes') });

    expect(answer.status).toBe(status);
    expect(await rig.show(image.id)).toEqual(before);
    await expectNoBytes(image.id);
  });

  it('answers 404 for an unknown image and 403 when the policy says no', async () => {
    const image = await rig.image();
    rig.denied.add('upload_image');

    const unknown = await rig.send('PUT', file(randomUUID()), { headers: OCTETS, body: Buffer.alloc(1) });
    const denied = await rig.send('PUT', file(image.id), { headers: OCTETS, body: Buffer.alloc(1) });
    rig.denied.clear();

    expect([unknown.status, denied.status]).toEqual([404, 403]);
  });

  it.each([
    ['a body longer than declared', 400, { 'x-openstack-image-size': 10 * MIB }, 20 * MIB],
    ['a body shorter than declared', 400, { 'x-openstack-image-size': 30 * MIB }, 20 * MIB],
    ['a chunked body above image_size_cap', 413, {}, 80 * MIB],
  ])('refuses %s with %i; the image is queued and empty again', async (_name, status, headers, size) => {
    const image = await rig.image();

    const answer = await rig.send('PUT', file(image.id), {
      headers: { ...OCTETS, ...headers },
      body: chunksOf(randomBytes(size), MIB),
    });

    expect(answer.status).toBe(status);
    expect(await rig.show(image.id)).toMatchObject({
      status: 'queued',
      size: null,
      checksum: null,
      lock: null,
      locations: [],
    });
    await expectNoBytes(image.id);
  });

  it.each([
    ['qcow2 declared, other content', 'qcow2', Buffer.alloc(MIB, 7), 415, /disk_format qcow2 does not match/],
    [
      'raw declared, qcow2 with a backing file inside',
      'raw',
      qcow2WithBackingFile(),
      415,
      /safety checks.*backing_file/s,
    ],
  ])('inspects: %s', async (_name, diskFormat, bytes, status, text) => {
    const image = await rig.image({ diskFormat });

    const answer = await rig.send('PUT', file(image.id), {
      headers: { ...OCTETS, accept: 'application/json' },
      body: bytes,
    });

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString()).error.message).toMatch(text);
    expect(await rig.show(image.id)).toMatchObject({ status: 'queued', size: null, hashValue: null, locations: [] });
    await expectNoBytes(image.id);
  });

  it.each(['raw', 'qcow2', 'vmdk'])('takes an image of no bytes, declared as %s', async (diskFormat) => {
    const image = await rig.image({ diskFormat });

    const answer = await rig.send('PUT', file(image.id), { headers: OCTETS, body: Buffer.alloc(0) });

    expect(answer.status).toBe(204);
    expect(await rig.show(image.id)).toMatchObject({ status: 'active', size: 0, virtualSize: null });
  });

  it('does not inspect containers other than bare', async () => {
    const image = await rig.image({ diskFormat: 'qcow2', containerFormat: 'compressed' });

    const answer = await rig.send('PUT', file(image.id), { headers: OCTETS, body: Buffer.from('anything') });

    expect(answer.status).toBe(204);
    expect(await rig.show(image.id)).toMatchObject({ status: 'active', virtualSize: null });
  });

  it('lets the first of two uploads win and answers 409 to the second', async () => {
    const image = await rig.image();
    const bytes = randomBytes(MIB);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slowly(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, 100);
      await held;
      yield bytes.subarray(100);
    }
    const upload = rig.send('PUT', file(image.id), { headers: OCTETS, body: slowly() });
    await vi.waitFor(async () => expect((await rig.show(image.id))?.status).toBe('saving'), PATIENCE);

    const second = await rig.send('PUT', file(image.id), { headers: OCTETS, body: randomBytes(10) });
    release();
    const first = await upload;

    expect([first.status, second.status]).toEqual([204, 409]);
    expect((await rig.send('GET', file(image.id))).body.equals(bytes)).toBe(true);
  });

  it('leaves nothing of an upload whose client disconnects', async () => {
    const image = await rig.image();
    const socket = connect(rig.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `PUT ${file(image.id)} HTTP/1.1\r\nhost: x\r\nx-auth-token: demo\r\ncontent-type: application/octet-stream\r\ncontent-length: ${40 * MIB}\r\n\r\n`,
    );
    socket.write(randomBytes(18 * MIB));
    await vi.waitFor(
      async () => expect((await rig.s3.keys('central')).filter((key) => key.includes(image.id))).not.toEqual([]),
      PATIENCE,
    );

    socket.destroy();

    await vi.waitFor(
      async () => expect(await rig.show(image.id)).toMatchObject({ status: 'queued', lock: null }),
      PATIENCE,
    );
    await vi.waitFor(async () => {
      await expectNoBytes(image.id);
      const duties = (await rig.duties()).filter((duty) => duty.imageId === image.id);
      expect(duties).toMatchObject([{ kind: 'retired', attempt: 1 }]);
    }, PATIENCE);
  });

  it('gives up a client that stalls', async () => {
    const image = await rig.image();
    async function* stalling(): AsyncGenerator<Buffer> {
      yield randomBytes(10);
      await new Promise(() => undefined);
    }

    const answer = await rig.send('PUT', file(image.id), { headers: OCTETS, body: stalling() });

    expect(answer.status).toBe(400);
    expect(await rig.show(image.id)).toMatchObject({ status: 'queued', lock: null });
  });

  it('answers 410 when the image is deleted meanwhile, and leaves nothing', async () => {
    const image = await rig.image();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slowly(): AsyncGenerator<Buffer> {
      yield randomBytes(20 * MIB);
      await held;
      yield randomBytes(100);
    }
    const upload = rig.send('PUT', file(image.id), { headers: OCTETS, body: slowly() });
    await vi.waitFor(async () => expect((await rig.show(image.id))?.status).toBe('saving'), PATIENCE);

    await rig.deps.images.delete(image.id);
    release();

    expect((await upload).status).toBe(410);
    await expectNoBytes(image.id);
  });

  it('answers 503 when the store refuses, and leaves nothing', async () => {
    const image = await rig.image();
    rig.s3.faults.set('central', { status: 503, code: 'ServiceUnavailable', methods: ['PUT', 'POST'] });

    const answer = await rig.send('PUT', file(image.id), { headers: OCTETS, body: randomBytes(MIB) });
    rig.s3.faults.set('central', undefined);

    expect(answer.status).toBe(503);
    expect(answer.body.toString()).not.toMatch(/central: images/);
    expect(await rig.show(image.id)).toMatchObject({ status: 'queued', lock: null });
    await expectNoBytes(image.id);
  });
});

describe('PUT stage', () => {
  it('keeps the bytes in the staging bucket, hashed on the way', async () => {
    const image = await rig.image({ diskFormat: 'qcow2', containerFormat: null });
    const bytes = randomBytes(9 * MIB);

    const answer = await rig.send('PUT', `/v2/images/${image.id}/stage`, {
      headers: OCTETS,
      body: chunksOf(bytes, 65536),
    });

    expect(answer.status).toBe(204);
    const shown = await rig.show(image.id);
    expect(shown).toMatchObject({
      status: 'uploading',
      size: bytes.length,
      checksum: null,
      lock: null,
      locations: [],
      staged: {
        layout: 'plain',
        size: bytes.length,
        md5: digest('md5', bytes),
        hash: { algo: 'sha512', value: digest('sha512', bytes) },
      },
    });
    expect(await rig.s3.keys('staging')).toContain(`staged/${image.id}/${shown?.staged?.writeId}/data`);
  });

  it('packs raw bytes', async () => {
    const image = await rig.image();

    const answer = await rig.send('PUT', `/v2/images/${image.id}/stage`, {
      headers: OCTETS,
      body: Buffer.alloc(33 * MIB),
    });

    expect(answer.status).toBe(204);
    expect((await rig.show(image.id))?.staged).toMatchObject({ layout: 'sparse', size: 33 * MIB });
  });

  it('is not there when glance-direct is not enabled', async () => {
    const other = await startGateway({ enabled_import_methods: ['web-download'] });
    const image = await other.image();

    const answer = await other.send('PUT', `/v2/images/${image.id}/stage`, { headers: OCTETS, body: Buffer.alloc(1) });
    await other.close();

    expect(answer.status).toBe(404);
  });

  it('does not hash what the import will convert', async () => {
    const other = await startGateway({ image_import_plugins: ['image_conversion'] });
    const [converted, kept] = [await other.image({ diskFormat: 'qcow2' }), await other.image({ diskFormat: 'raw' })];
    for (const { id } of [converted, kept])
      await other.send('PUT', `/v2/images/${id}/stage`, { headers: OCTETS, body: Buffer.alloc(5) });

    expect((await other.show(converted.id))?.staged).toEqual({ writeId: expect.any(String), layout: 'plain', size: 5 });
    expect((await other.show(kept.id))?.staged).toMatchObject({ md5: digest('md5', Buffer.alloc(5)) });
    await other.close();
  });

  it('refuses a second stage with 409', async () => {
    const image = await rig.image();
    const path = `/v2/images/${image.id}/stage`;

    const first = await rig.send('PUT', path, { headers: OCTETS, body: Buffer.from('one') });
    const second = await rig.send('PUT', path, { headers: OCTETS, body: Buffer.from('two') });

    expect([first.status, second.status]).toEqual([204, 409]);
  });
});

describe('other requests', () => {
  it.each([
    ['DELETE', 'file', 405, 'GET, PUT'],
    ['HEAD', 'file', 405, 'GET, PUT'],
    ['GET', 'stage', 405, 'PUT'],
    ['GET', 'elsewhere', 404, undefined],
    ['GET', 'file/', 404, undefined],
  ])('%s %s: %i', async (method, leaf, status, allow) => {
    const answer = await rig.send(method, `/v2/images/${randomUUID()}/${leaf}`);

    expect(answer.status).toBe(status);
    expect(answer.headers.allow).toBe(allow);
  });
});

/** A qcow2 header, version 2, whose backing file is named. */
function qcow2WithBackingFile(): Buffer {
  const bytes = Buffer.alloc(2 * 65536);
  bytes.write('QFI\xfb', 0, 'latin1');
  bytes.writeUInt32BE(2, 4);
  bytes.writeBigUInt64BE(1024n, 8);
  bytes.writeUInt32BE(11, 16);
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(BigInt(MIB), 24);
  bytes.writeUInt32BE(1, 36);
  bytes.writeBigUInt64BE(65536n, 40);
  bytes.write('/etc/passwd', 1024);
  return bytes;
}
