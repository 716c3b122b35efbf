/** PUT file of signed images: verified before the record says anything of the bytes, and nothing is kept of what is not good. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackendUnavailable } from '../../core/errors.ts';
import type { Image } from '../../core/images/image.ts';
import { type GatewayRig, OCTETS, startGateway } from '../support/gateway.ts';
import { aSigner, asPem } from '../support/signer.ts';

const MIB = 1024 * 1024;
const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/signatures/${name}`, import.meta.url));
const vectors = (
  JSON.parse(fixture('vectors.json').toString()) as {
    readonly maker: string;
    readonly keyType: string;
    readonly hash: string;
    readonly certificate: string;
    readonly signature: string;
  }[]
).filter(({ maker }) => maker !== 'weak');
/** As make.py has it. */
const IMAGE = Buffer.from('what is signed '.repeat(20_000));
const ID = '0a1b2c3d-1111-4222-8333-444455556666';

let rig: GatewayRig;
beforeAll(async () => {
  rig = await startGateway({ image_size_cap: 64 * MIB });
});
afterAll(() => rig.close());

const put = (id: string, body: Uint8Array | Iterable<Uint8Array>, headers: Record<string, string> = {}) =>
  rig.send('PUT', `/v2/images/${id}/file`, { headers: { ...OCTETS, ...headers }, body });

/** The image is queued and free, and nothing of its bytes is in any bucket. */
async function expectNothingKept(image: Image): Promise<void> {
  expect(await rig.show(image.id)).toMatchObject({
    ...{ status: 'queued', lock: null, size: null, checksum: null, hashValue: null, signature: null, locations: [] },
    properties: image.properties,
  });
  for (const place of ['staging', 'central', 'plain'])
    expect((await rig.s3.keys(place)).filter((key) => key.includes(image.id))).toEqual([]);
}

describe('every algorithm', () => {
  it.each(vectors)('$maker: $keyType $hash by $certificate', async ({ keyType, hash, certificate, signature }) => {
    rig.certificates.set(ID, fixture(certificate));
    const properties = {
      img_signature: signature,
      img_signature_hash_method: hash,
      img_signature_key_type: keyType,
      img_signature_certificate_uuid: ID,
    };
    const [good, bad] = [await rig.image({ properties }), await rig.image({ properties })];

    const refused = await put(bad.id, IMAGE.subarray(1));

    expect(await put(good.id, IMAGE)).toMatchObject({ status: 204 });
    expect(await rig.show(good.id)).toMatchObject({ status: 'active', signature: 'verified', properties });
    expect(refused.status).toBe(400);
    expect(String(refused.body)).toContain(`Signature verification failed for image ${bad.id}: `);
    await expectNothingKept(bad);
  });
});

describe('a signed image', () => {
  const signer = aSigner();
  const bytes = Buffer.alloc(40 * MIB, 'signed ');
  bytes.fill(0, 17 * MIB, 34 * MIB);
  const properties = signer.properties(bytes);
  const python = { ...properties, img_signature: `b'${properties['img_signature']}'` };
  function* chunks(of: Buffer): Generator<Buffer> {
    for (let at = 0; at < of.length; at += 100_000) yield of.subarray(at, at + 100_000);
  }
  beforeAll(() => void rig.certificates.set(signer.certificateId, signer.certificate));

  it.each(['central', 'plain'])('of many parts, in the store %s, is what was signed', async (store) => {
    const image = await rig.image({ properties });

    expect(await put(image.id, chunks(bytes), { 'x-image-meta-store': store })).toMatchObject({ status: 204 });
    const got = await rig.send('GET', `/v2/images/${image.id}/file`);

    expect(got.body.equals(bytes)).toBe(true);
    expect(await rig.show(image.id)).toMatchObject({ signature: 'verified', locations: [{ store }] });
  });

  it.each([
    ['the last byte', (of: Buffer) => Buffer.concat([of.subarray(0, -1), Buffer.from([(of.at(-1) ?? 0) ^ 1])])],
    ['a byte more', (of: Buffer) => Buffer.concat([of, Buffer.from([0])])],
    ['nothing at all', () => Buffer.alloc(0)],
  ])('that differs by %s is not kept', async (_name, change) => {
    const image = await rig.image({ properties });
    const sent = change(bytes);

    expect(await put(image.id, chunks(sent))).toMatchObject({ status: 400 });

    await expectNothingKept(image);
  });

  it('may be sent again after a bad try', async () => {
    const image = await rig.image({ properties });
    await put(image.id, IMAGE);

    expect(await put(image.id, chunks(bytes))).toMatchObject({ status: 204 });
  });

  it("in Python's b'…' is plain afterwards", async () => {
    const image = await rig.image({ properties: { ...python, other: 'kept' } });

    expect(await put(image.id, chunks(bytes))).toMatchObject({ status: 204 });

    expect((await rig.show(image.id))?.properties).toEqual({ ...properties, other: 'kept' });
  });

  it('is staged without a look at its signature', async () => {
    const image = await rig.image({ properties: { ...properties, img_signature_hash_method: 'MD5' } });

    const staged = await rig.send('PUT', `/v2/images/${image.id}/stage`, { headers: OCTETS, body: IMAGE });

    expect(staged.status).toBe(204);
    expect(await rig.show(image.id)).toMatchObject({ status: 'uploading', signature: null });
  });

  it.each([
    ['an unknown hash method', { img_signature_hash_method: 'MD5' }, 'invalid signature hash method'],
    ['an unknown key type', { img_signature_key_type: 'ECC_SECT571K1' }, 'invalid signature key type'],
    ['no Base64', { img_signature: '%' }, 'cannot be decoded'],
    ['an unknown certificate', { img_signature_certificate_uuid: ID.replace('0', 'f') }, 'cannot be retrieved'],
    ['a key of another class', { img_signature_key_type: 'DSA' }, 'key type mismatch'],
  ])('with %s is refused before its bytes are stored', async (_name, wrong, cause) => {
    const image = await rig.image({ properties: { ...properties, ...wrong } });

    const { status, body } = await put(image.id, IMAGE);

    expect({ status, body: String(body) }).toEqual({ status: 400, body: expect.stringContaining(cause) });
    await expectNothingKept(image);
    expect((await rig.duties()).filter(({ imageId }) => imageId === image.id)).toEqual([]);
  });

  it('is what its properties say when the bytes arrive, not what they said before', async () => {
    const image = await rig.image({ properties: signer.properties(IMAGE) });
    await rig.deps.images.change(image.id, { set: { properties } });

    expect(await put(image.id, chunks(bytes))).toMatchObject({ status: 204 });
  });

  it('is not called verified when somebody replaced the signature while the bytes arrived', async () => {
    const image = await rig.image({ properties });
    const theirs = { ...signer.properties(IMAGE), mine: 'yes' };
    async function* slowly(): AsyncGenerator<Buffer> {
      yield* chunks(bytes.subarray(0, MIB));
      while ((await rig.show(image.id))?.status !== 'saving') await new Promise((resolve) => setImmediate(resolve));
      await rig.deps.images.change(image.id, { set: { properties: theirs } });
      yield* chunks(bytes.subarray(MIB));
    }

    const { status } = await rig.send('PUT', `/v2/images/${image.id}/file`, { headers: OCTETS, body: slowly() });

    expect(status).toBe(204);
    expect(await rig.show(image.id)).toMatchObject({ status: 'active', signature: null, properties: theirs });
  });

  it('waits while the key manager is away: 503, and nothing has changed', async () => {
    const image = await rig.image({ properties });
    const { secret } = rig.deps.keyManager;
    const away = new BackendUnavailable('The key manager is not available; try again later.');
    Object.assign(rig.deps.keyManager, { secret: async () => Promise.reject(away) });

    const { status, body, headers } = await put(image.id, chunks(bytes)).finally(() =>
      Object.assign(rig.deps.keyManager, { secret }),
    );

    expect({ status, body: String(body) }).toEqual({ status: 503, body: expect.stringContaining('key manager') });
    expect(headers['retry-after']).toBeDefined();
    await expectNothingKept(image);
    expect(await put(image.id, chunks(bytes))).toMatchObject({ status: 204 });
  });

  it('without one of the four properties is stored as any other', async () => {
    const { img_signature: _, ...rest } = signer.properties(IMAGE);
    const image = await rig.image({ properties: rest });

    expect(await put(image.id, IMAGE)).toMatchObject({ status: 204 });

    expect(await rig.show(image.id)).toMatchObject({ status: 'active', signature: null });
  });
});

describe('where signatures are required', () => {
  const signer = aSigner();
  const stranger = aSigner();
  let strict: GatewayRig;
  beforeAll(async () => {
    strict = await startGateway({
      signed_images: {
        require_signature: { public: 'always', community: 'trusted' },
        trusted_certificates: [asPem(signer.certificate)],
      },
    });
    for (const { certificateId, certificate } of [signer, stranger])
      strict.certificates.set(certificateId, certificate);
  });
  afterAll(() => strict.close());

  const upload = (id: string, body: Uint8Array | Iterable<Uint8Array> = IMAGE) =>
    strict.send('PUT', `/v2/images/${id}/file`, { headers: OCTETS, body });

  it.each([
    ['public', {}, 'an image whose visibility is public must be signed here'],
    ['community', {}, 'an image whose visibility is community must be signed here'],
    ['community', stranger.properties(IMAGE), 'the certificate leads to none that is trusted'],
    ['public', signer.properties(IMAGE.subarray(1)), 'the signature is not that of these bytes'],
  ] as const)('%s with %j is refused', async (visibility, properties, cause) => {
    const image = await strict.image({ owner: 'demo', visibility, properties });

    const { status, body } = await upload(image.id);

    expect({ status, body: String(body) }).toEqual({ status: 400, body: expect.stringContaining(cause) });
    expect(await strict.show(image.id)).toMatchObject({ status: 'queued', lock: null, locations: [] });
  });

  it.each([
    ['private', {}, null],
    ['private', stranger.properties(IMAGE), 'verified'],
    ['public', stranger.properties(IMAGE), 'verified'],
    ['public', signer.properties(IMAGE), 'trusted'],
    ['community', signer.properties(IMAGE), 'trusted'],
  ] as const)('%s with %j is stored', async (visibility, properties, signature) => {
    const image = await strict.image({ owner: 'demo', visibility, properties });

    expect(await upload(image.id)).toMatchObject({ status: 204 });

    expect(await strict.show(image.id)).toMatchObject({ status: 'active', signature });
  });

  it.each([
    ['visibility', {}, { visibility: 'public' }],
    ['properties', signer.properties(IMAGE), { properties: {} }],
  ] as const)('an upload whose image gets other %s meanwhile is not kept', async (what, properties, set) => {
    const visibility = what === 'visibility' ? 'private' : 'public';
    const image = await strict.image({ owner: 'demo', visibility, properties });
    const { deps } = strict;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield IMAGE.subarray(0, 1_000);
      await expect.poll(async () => (await strict.show(image.id))?.status).toBe('saving');
      await deps.images.change(image.id, { set });
      yield IMAGE.subarray(1_000);
    }

    const { status, body } = await strict.send('PUT', `/v2/images/${image.id}/file`, {
      headers: OCTETS,
      body: chunks(),
    });

    expect({ status, body: String(body) }).toEqual({
      status: 400,
      body: expect.stringContaining('needs a good signature'),
    });
    expect(await strict.show(image.id)).toMatchObject({ status: 'queued', lock: null, locations: [] });
  });
});
