/** Imports of signed images: verified before any plugin, and stored as they were signed or not at all. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BackendUnavailable } from '../../../core/errors.ts';
import type { Image } from '../../../core/images/image.ts';
import { addLocation } from '../../../core/imports/add-location.ts';
import { cancelImport } from '../../../core/imports/cancel.ts';
import { requestImport } from '../../../core/imports/import.ts';
import { retryImport } from '../../../core/imports/retry.ts';
import { takeDrop } from '../../../core/imports/take-drop.ts';
import { certificatesInBarbican } from '../../../keystone/barbican.ts';
import { callerWith } from '../../support/caller.ts';
import { converted } from '../../support/converted.ts';
import { anImage } from '../../support/images.ts';
import { expectClean, expectImported, expectReverted } from '../../support/memory/import-ends.ts';
import { type ImportRig, importRig } from '../../support/memory/imports.ts';
import { rawDisk } from '../../support/raw-disk.ts';
import { aSigner, asPem } from '../../support/signer.ts';

const RAW = rawDisk(3 * 1024 * 1024);
const QCOW2 = await converted(RAW, { target: 'qcow2', compression: 'zlib' });
const PACKED = gzipSync(QCOW2);
const URI = 'https://images.example.org/disk';
const PROJECT = 'demo';
const CALLER = callerWith({ projectId: PROJECT });
const SIGNER = aSigner();
const CONVERT = { image_import_plugins: ['image_decompression', 'image_conversion'] };
const DROPPING = { ...CONVERT, signed_images: { allow_conversion: true } };
const OF_BYTES = 'the signature is not that of these bytes and this certificate';

function signingRig(config: Readonly<Record<string, unknown>> = {}): ImportRig {
  const rig = importRig(config);
  rig.deps.certificates.set(SIGNER.certificateId, SIGNER.certificate);
  return rig;
}

const signed = (bytes: Uint8Array, attributes: Partial<Image> = {}): Partial<Image> => ({
  ...{ owner: PROJECT, diskFormat: 'qcow2', containerFormat: 'bare', properties: SIGNER.properties(bytes) },
  ...attributes,
});

/** POST import, and the workflow that it starts. */
async function imports(rig: ImportRig, id: string, name: 'glance-direct' | 'web-download' = 'glance-direct') {
  const method = name === 'web-download' ? { name, uri: URI } : { name };
  const task = await requestImport(rig.deps, CALLER, id, { method, body: { method } });
  if (task === undefined) throw new Error('no task');
  return { task: task.id, ...(await rig.run(task.id)) };
}

async function fromWeb(rig: ImportRig, body: Uint8Array, attributes: Partial<Image>): Promise<Image> {
  const image = anImage({ ...attributes });
  await rig.deps.images.create(image);
  rig.web.set(URI, { body });
  return image;
}

describe('a good signature', () => {
  it.each([
    ['hashed on the way', true],
    ['not hashed yet', false],
  ])('of staged bytes, %s', async (_name, hashed) => {
    const rig = signingRig();
    const { id } = await rig.staged(QCOW2, signed(QCOW2), { hashed });

    const { states } = await imports(rig, id);

    expect(states.indexOf('VerifySignature')).toBeLessThan(states.indexOf('Inspect'));
    expect(await expectImported(rig, id, QCOW2)).toMatchObject({
      signature: 'verified',
      ...signed(QCOW2, { properties: expect.anything() }),
    });
    expectClean(rig);
  });

  it('of raw bytes, packed sparse, and of a download', async () => {
    const rig = signingRig();
    const { id } = await fromWeb(rig, RAW, signed(RAW, { diskFormat: 'raw' }));

    await imports(rig, id, 'web-download');

    expect(await expectImported(rig, id, RAW)).toMatchObject({
      signature: 'verified',
      locations: [{ layout: 'sparse' }],
    });
  });

  it("in Python's b'…' is plain afterwards, for those who verify what they download", async () => {
    const rig = signingRig();
    const properties = SIGNER.properties(QCOW2);
    const python = { ...properties, img_signature: `b'${properties['img_signature']}'` };
    const { id } = await rig.staged(QCOW2, signed(QCOW2, { properties: { ...python, other: 'kept' } }));

    await imports(rig, id);

    expect((await rig.image(id)).properties).toEqual({ ...properties, other: 'kept' });
  });

  it.each([QCOW2, PACKED])('keeps every plugin away from the bytes', async (bytes) => {
    const rig = signingRig(CONVERT);
    const { id } = await rig.staged(bytes, signed(bytes, bytes === PACKED ? { containerFormat: 'compressed' } : {}));

    await imports(rig, id);

    expect(await expectImported(rig, id, bytes)).toMatchObject({ diskFormat: 'qcow2', signature: 'verified' });
  });

  it('does not let unpacked content in that nobody looked at', async () => {
    const rig = signingRig(CONVERT);
    const image = await rig.staged(PACKED, signed(PACKED));

    const { task } = await imports(rig, image.id);

    await expectReverted(rig, image, task, /does not match stream data gzip/);
  });

  it.each([
    ['converted', QCOW2],
    ['unpacked and converted', PACKED],
  ])('is dropped from an image that may be %s, and the image says so', async (_name, bytes) => {
    const rig = signingRig(DROPPING);
    const { id } = await rig.staged(
      bytes,
      signed(bytes, { properties: { ...SIGNER.properties(bytes), other: 'kept' } }),
    );

    await imports(rig, id);

    expect(await expectImported(rig, id, RAW)).toMatchObject({
      diskFormat: 'raw',
      signature: 'dropped',
      properties: { other: 'kept' },
    });
  });

  it('stays on an image that may be converted and needs not be', async () => {
    const rig = signingRig(DROPPING);
    const { id } = await rig.staged(RAW, signed(RAW, { diskFormat: 'raw' }));

    await imports(rig, id);

    expect(await expectImported(rig, id, RAW)).toMatchObject({ signature: 'verified' });
  });

  it('that somebody replaced meanwhile is not called verified, and is theirs', async () => {
    const rig = signingRig();
    const { id } = await rig.staged(QCOW2, signed(QCOW2));
    const theirs = { ...SIGNER.properties(RAW), mine: 'yes' };
    rig.around = async ({ step }, run) => {
      if (step === 'plan') await rig.deps.images.change(id, { set: { properties: theirs } });
      return run();
    };

    await imports(rig, id);

    expect(await expectImported(rig, id, QCOW2)).toMatchObject({ signature: null, properties: theirs });
  });

  it('counts with the first copy of several', async () => {
    const rig = signingRig();
    const { id } = await rig.staged(QCOW2, signed(QCOW2));
    const method = { name: 'glance-direct' };
    const stores = ['central', 'edge'];
    const task = await requestImport(rig.deps, CALLER, id, { method, body: {}, stores, allStoresMustSucceed: false });

    await rig.run(task?.id ?? '');

    expect(await expectImported(rig, id, QCOW2, stores)).toMatchObject({ signature: 'verified' });
  });

  it('is verified again when the bytes are staged and imported again', async () => {
    const rig = signingRig();
    const first = await rig.staged(RAW, signed(QCOW2, { diskFormat: 'raw' }));
    await imports(rig, first.id);
    expect(await rig.image(first.id)).toMatchObject({ status: 'queued', signature: null });
    await rig.deps.images.delete(first.id);

    const second = await rig.staged(QCOW2, signed(QCOW2));
    await imports(rig, second.id);

    await expectImported(rig, second.id, QCOW2);
  });
});

describe('a bad signature', () => {
  it.each(['glance-direct', 'web-download'] as const)(
    'ends an import by %s, and nothing of it is kept',
    async (name) => {
      const rig = signingRig(CONVERT);
      const image =
        name === 'web-download' ? await fromWeb(rig, QCOW2, signed(RAW)) : await rig.staged(QCOW2, signed(RAW));

      const { task, states } = await imports(rig, image.id, name);

      await expectReverted(rig, image, task, `Signature verification failed for image ${image.id}: ${OF_BYTES}`);
      expect(states).not.toContain('Inspect');
      expect(await rig.image(image.id)).toMatchObject({ signature: null, properties: image.properties });
    },
  );

  it('does so in a container, too', async () => {
    const rig = signingRig();
    const image = await rig.staged(QCOW2, signed(RAW));
    rig.around = async ({ state }, run) => {
      if (state === 'VerifySignature') throw Object.assign(new Error('too long'), { name: 'StepTooLong' });
      return run();
    };

    const { task, steps } = await imports(rig, image.id);

    expect(steps).toContain('verify in container');
    await expectReverted(rig, image, task, OF_BYTES);
  });
});

describe('what cannot be verified', () => {
  const unknown = {
    ...SIGNER.properties(QCOW2),
    img_signature_certificate_uuid: '00000000-1111-4222-8333-444455556666',
  };

  it('is refused at once, and staged bytes go', async () => {
    const rig = signingRig();
    const image = await rig.staged(QCOW2, signed(QCOW2, { properties: unknown }));

    await expect(imports(rig, image.id)).rejects.toMatchObject({
      kind: 'InvalidInput',
      message: expect.stringContaining('cannot be retrieved'),
    });

    expect(await rig.image(image.id)).toMatchObject({
      status: 'queued',
      staged: null,
      size: null,
      lock: null,
      properties: unknown,
    });
    expect(rig.deps.started).toEqual([]);
    expectClean(rig);
    const duties = await rig.deps.duties.due(Number.MAX_SAFE_INTEGER, 10);
    expect(duties.map(({ kind }) => kind)).toEqual(['retired']);
  });

  it('is refused before a download begins', async () => {
    const rig = signingRig();
    const image = await fromWeb(rig, QCOW2, signed(QCOW2, { properties: unknown }));

    await expect(imports(rig, image.id, 'web-download')).rejects.toThrow('cannot be retrieved');

    expect(await rig.image(image.id)).toMatchObject({ status: 'queued', lock: null });
    expect(rig.deps.started).toEqual([]);
  });

  it('waits, staged as it is, while the key manager is away', async () => {
    const rig = signingRig();
    const image = await rig.staged(QCOW2, signed(QCOW2));
    const { secret } = rig.deps.keyManager;
    Object.assign(rig.deps.keyManager, { secret: async () => Promise.reject(new BackendUnavailable('away')) });

    await expect(imports(rig, image.id)).rejects.toThrow('away');
    expect(await rig.image(image.id)).toMatchObject({ status: 'uploading', staged: image.staged, lock: null });
    Object.assign(rig.deps.keyManager, { secret });
    await imports(rig, image.id);

    await expectImported(rig, image.id, QCOW2);
  });
});

const KEY = `drop/${PROJECT}/disk.qcow2`;
const metadataOf = (properties: Record<string, string>) =>
  Object.fromEntries(Object.entries(properties).map(([key, value]) => [`property-${key}`, value]));

async function drop(rig: ImportRig, properties: Record<string, string>) {
  rig.deps.projects.set(PROJECT, { id: PROJECT, name: PROJECT, domainId: 'default', enabled: true });
  await rig.staging.putObject(KEY, QCOW2);
  const { describe: look } = rig.deps.dropBox;
  const metadata = metadataOf(properties);
  Object.assign(rig.deps.dropBox, { describe: async (key: string) => ({ ...(await look(key)), metadata }) });
  const taken = await takeDrop(rig.deps, { key: KEY, sequencer: '1' });
  if (taken.kind !== 'imported') return taken;
  await rig.run(taken.taskId);
  return taken;
}

describe('a dropped file', () => {
  it('is verified', async () => {
    const rig = signingRig();
    const taken = await drop(rig, SIGNER.properties(QCOW2));
    if (taken.kind !== 'imported') throw new Error(JSON.stringify(taken));

    expect(await expectImported(rig, taken.imageId, QCOW2)).toMatchObject({ signature: 'verified' });
  });

  it('of a bad signature is a failed task', async () => {
    const rig = signingRig();
    const taken = await drop(rig, SIGNER.properties(RAW));
    if (taken.kind !== 'imported') throw new Error(JSON.stringify(taken));

    await expectReverted(rig, await rig.image(taken.imageId), taken.taskId, OF_BYTES);
  });

  it('that cannot be verified is set aside with the reason, and makes no image', async () => {
    const rig = signingRig();

    expect(await drop(rig, { ...SIGNER.properties(QCOW2), img_signature_hash_method: 'MD5' })).toEqual({
      kind: 'quarantined',
      reason: expect.stringMatching(/^Signature verification failed for image .*: invalid signature hash method/),
    });
    expect(rig.deps.started).toEqual([]);
  });

  it('of a Barbican is set aside: it answers tokens of users, and a file has none', async () => {
    const rig = signingRig();
    Object.assign(rig.deps, { keyManager: certificatesInBarbican('http://127.0.0.1:1') });

    const taken = await drop(rig, SIGNER.properties(QCOW2));

    const reason =
      /^Signature verification failed for image .*: the key manager is Barbican, which answers tokens of users/;
    expect(taken).toEqual({ kind: 'quarantined', reason: expect.stringMatching(reason) });
    expect([...rig.staging.objects.keys()].filter((key) => !key.startsWith('quarantine/'))).toEqual([]);
    expect(rig.deps.started).toEqual([]);
  });
});

describe('where signatures are required', () => {
  const requiring = (required: 'always' | 'trusted', visibility = 'public') => ({
    ...CONVERT,
    signed_images: {
      ...{ allow_conversion: true, require_signature: { [visibility]: required } },
      trusted_certificates: [required === 'trusted' ? asPem(SIGNER.certificate) : asPem(OTHER.certificate)],
    },
  });
  const OTHER = aSigner();

  it('an image without one is refused, and its staged bytes go', async () => {
    const rig = signingRig(requiring('always'));
    const image = await rig.staged(QCOW2, signed(QCOW2, { visibility: 'public', properties: {} }));

    await expect(imports(rig, image.id)).rejects.toMatchObject({
      kind: 'InvalidInput',
      message: expect.stringContaining('an image whose visibility is public must be signed here'),
    });

    expect(await rig.image(image.id)).toMatchObject({ status: 'queued', staged: null, lock: null });
    expect(rig.deps.started).toEqual([]);
  });

  it('an image of another visibility needs none', async () => {
    const rig = signingRig({ ...requiring('always'), image_import_plugins: [] });
    const image = await rig.staged(QCOW2, signed(QCOW2, { visibility: 'shared', properties: {} }));

    await imports(rig, image.id);

    expect(await expectImported(rig, image.id, QCOW2)).toMatchObject({ signature: null });
  });

  it('a good one is kept, though others may be dropped by a conversion', async () => {
    const rig = signingRig(requiring('always'));
    const image = await rig.staged(QCOW2, signed(QCOW2, { visibility: 'public' }));

    await imports(rig, image.id);

    expect(await expectImported(rig, image.id, QCOW2)).toMatchObject({ diskFormat: 'qcow2', signature: 'verified' });
  });

  it('by a trusted certificate, the image says that it is one', async () => {
    const rig = signingRig(requiring('trusted'));
    const image = await rig.staged(QCOW2, signed(QCOW2, { visibility: 'public' }));

    await imports(rig, image.id);

    expect(await expectImported(rig, image.id, QCOW2)).toMatchObject({ signature: 'trusted' });
  });

  it('by a trusted certificate, one of nobody known is refused', async () => {
    const rig = signingRig(requiring('trusted'));
    rig.deps.certificates.set(OTHER.certificateId, OTHER.certificate);
    const properties = OTHER.properties(QCOW2);
    const image = await rig.staged(QCOW2, signed(QCOW2, { visibility: 'public', properties }));

    await expect(imports(rig, image.id)).rejects.toThrow('the certificate leads to none that is trusted');
  });

  it.each([true, false])('one that goes meanwhile ends the import (all stores: %s)', async (allStoresMustSucceed) => {
    const rig = signingRig(requiring('always'));
    const image = await rig.staged(QCOW2, signed(QCOW2, { visibility: 'public' }));
    rig.around = async ({ step }, run) => {
      if (step === 'plan') await rig.deps.images.change(image.id, { set: { properties: { mine: 'yes' } } });
      return run();
    };
    const method = { name: 'glance-direct' };
    const task = await requestImport(rig.deps, CALLER, image.id, { method, body: {}, allStoresMustSucceed });

    await rig.run(task?.id ?? '');

    const changed = { ...image, properties: { mine: 'yes' } };
    await expectReverted(rig, changed, task?.id ?? '', /an image whose visibility is public needs a good signature/);
  });

  it('a dropped file without one is set aside with the reason', async () => {
    const rig = signingRig(requiring('always', 'shared'));

    expect(await drop(rig, {})).toEqual({
      kind: 'quarantined',
      reason: expect.stringContaining('an image whose visibility is shared must be signed here'),
    });
  });

  it('a cancelled import is not tried again for an image that became public without one', async () => {
    const rig = signingRig(requiring('always'));
    const image = await fromWeb(rig, QCOW2, signed(QCOW2, { visibility: 'private', properties: {} }));
    const method = { name: 'web-download', uri: URI };
    const { id = '' } = (await requestImport(rig.deps, CALLER, image.id, { method, body: { method } })) ?? {};
    await cancelImport(rig.deps, CALLER, id);
    await rig.deps.images.change(image.id, { set: { visibility: 'public' } });

    await expect(retryImport(rig.deps, CALLER, id)).rejects.toMatchObject({
      kind: 'Conflict',
      message: expect.stringContaining('needs a good signature'),
    });
  });

  it('a location, whose bytes nobody verifies, is refused', async () => {
    const rig = signingRig(requiring('always'));
    const image = anImage({ ...signed(QCOW2, { visibility: 'public' }) });
    await rig.deps.images.create(image);
    await rig.stores.central.putObject('theirs', QCOW2);
    const service = callerWith({ roles: ['service', 'admin'], serviceRoles: ['service'], isAdmin: true });

    await expect(addLocation(rig.deps, service, image.id, { url: 's3://central/theirs' })).rejects.toMatchObject({
      kind: 'Conflict',
      message: expect.stringContaining('takes no location'),
    });
  });
});
