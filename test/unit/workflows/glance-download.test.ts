/** Images that are fetched from the image service of another region, from the request to the end. */
import { describe, expect, test } from 'vitest';
import { InvalidInput } from '../../../core/errors.ts';
import type { Image } from '../../../core/images/image.ts';
import { requestImport } from '../../../core/imports/import.ts';
import { callerWith } from '../../support/caller.ts';
import { anImage } from '../../support/images.ts';
import { expectImported } from '../../support/memory/import-ends.ts';
import { type ImportRig, importRig } from '../../support/memory/imports.ts';
import { rawDisk } from '../../support/raw-disk.ts';

const RAW = rawDisk(320 * 1024);
const REMOTE_ID = '20000000-0000-4000-8000-000000000002';
const REMOTE = `https://two.example.org/image/v2/images/${REMOTE_ID}`;
const OWNER = callerWith({ projectId: 'demo' });
const METHOD = { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: REMOTE_ID };
const CONFIG = {
  enabled_import_methods: ['glance-direct', 'glance-download'],
  public_endpoint: 'https://one.example.org',
  identity: { peer_regions: [{ region: 'RegionTwo', image_url: 'https://two.example.org/image/v2/' }] },
};

const DESCRIBED = {
  ...{ id: REMOTE_ID, status: 'active', size: RAW.length, disk_format: 'raw', container_format: 'bare' },
  ...{ name: 'theirs', os_hash_value: 'f00', os_distro: 'debian', hw_disk_bus: 'virtio', hw_odd: 7 },
  ...{ 'trait:HW_CPU': 'required', os_type: 'linux', owner_note: 'not taken', os_glance_import_task: 'theirs' },
};

function described(rig: ImportRig, description: object | string, body: Uint8Array = RAW): void {
  const text = typeof description === 'string' ? description : JSON.stringify(description);
  rig.web.set(REMOTE, { body: Buffer.from(text) });
  rig.web.set(`${REMOTE}/file`, { body });
}

/** An image that waits for its bytes. */
async function waiting(rig: ImportRig, attributes: Partial<Image> = {}): Promise<Image> {
  const image = anImage({ owner: 'demo', diskFormat: 'qcow2', containerFormat: 'bare', ...attributes });
  await rig.deps.images.create(image);
  return image;
}

async function asked(rig: ImportRig, image: Image, method: object = METHOD, token: string | undefined = 'a-token') {
  const whole = { ...METHOD, ...method };
  const task = await requestImport(rig.deps, OWNER, image.id, { method: whole, body: { method: whole }, token });
  return task?.id ?? '';
}

describe('an image of another region', () => {
  test('comes with its formats and the properties that the configuration names', async () => {
    const rig = importRig(CONFIG);
    described(rig, DESCRIBED);
    const image = await waiting(rig, { properties: { os_type: 'windows', mine: 'stays' } });

    await rig.run(await asked(rig, image));

    await expectImported(rig, image.id, RAW);
    expect(await rig.image(image.id)).toMatchObject({ diskFormat: 'raw', containerFormat: 'bare', failedImport: [] });
    expect((await rig.image(image.id)).properties).toEqual({
      ...{ mine: 'stays', os_type: 'linux', os_distro: 'debian', hw_disk_bus: 'virtio' },
      'trait:HW_CPU': 'required',
    });
    expect([...rig.deps.sourceSecrets.kept]).toEqual([]);
  });

  test('may have no bytes, as here', async () => {
    const rig = importRig(CONFIG);
    described(rig, { ...DESCRIBED, disk_format: 'qcow2', size: 0 }, Buffer.alloc(0));
    const image = await waiting(rig);

    await rig.run(await asked(rig, image));

    expect(await expectImported(rig, image.id, Buffer.alloc(0))).toMatchObject({ diskFormat: 'qcow2', size: 0 });
  });

  test('brings other properties where the configuration names others', async () => {
    const rig = importRig({
      ...CONFIG,
      glance_download_properties: { extra_properties: ['owner_', 'os_glance', 'size'] },
    });
    described(rig, DESCRIBED);
    const image = await waiting(rig);

    await rig.run(await asked(rig, image));

    expect((await rig.image(image.id)).properties).toEqual({ owner_note: 'not taken' });
  });

  test.each<[string, object | string, Uint8Array, RegExp]>([
    ['that is not active', { ...DESCRIBED, status: 'queued' }, RAW, /has the status queued: only an active one/],
    ['without a size', { ...DESCRIBED, size: null }, RAW, /is described without a status, a size or formats/],
    ['without formats', { ...DESCRIBED, disk_format: null }, RAW, /is described without a status, a size or formats/],
    [
      'of a format that is not taken here',
      { ...DESCRIBED, disk_format: 'ntfs' },
      RAW,
      /disk_format ntfs, which is not/,
    ],
    ['of other content than it says', { ...DESCRIBED, disk_format: 'vmdk' }, RAW, /vmdk/],
    ['of other bytes than it says', { ...DESCRIBED, size: 5 }, RAW, /says 327680 bytes, the image has 5/],
    [
      'whose property cannot be one here',
      { ...DESCRIBED, hw_x: 'x'.repeat(70_000) },
      RAW,
      /property hw_x: 70000 bytes/,
    ],
  ])('%s is refused, and the image is as it was', async (_, description, body, message) => {
    const rig = importRig(CONFIG);
    described(rig, description, body);
    const image = await waiting(rig, { properties: { os_type: 'windows', mine: 'stays' } });
    const taskId = await asked(rig, image);

    await rig.run(taskId);

    expect(await rig.deps.tasks.get(taskId)).toMatchObject({
      status: 'failure',
      message: expect.stringMatching(message),
    });
    expect(await rig.image(image.id)).toMatchObject({
      ...{ status: 'queued', lock: null, diskFormat: 'qcow2', containerFormat: 'bare' },
      properties: image.properties,
    });
    expect([...rig.deps.sourceSecrets.kept]).toEqual([]);
  });

  test('whose service is away, or does not know it, is a failure that names it', async () => {
    const rig = importRig(CONFIG);
    const image = await waiting(rig);
    const taskId = await asked(rig, image);

    await rig.run(taskId);

    expect((await rig.deps.tasks.get(taskId))?.message).toBe(`${REMOTE} answered 404 Not Found`);
  });

  test('is not fetched without the token, which may be sealed with a key of before', async () => {
    const rig = importRig(CONFIG);
    described(rig, DESCRIBED);
    const image = await waiting(rig);
    const taskId = await asked(rig, image);
    await rig.deps.sourceSecrets.forget(taskId);

    await rig.run(taskId);

    expect((await rig.deps.tasks.get(taskId))?.message).toBe(
      'The token of the import is gone, or cannot be read any more',
    );
  });
});

describe('what is asked', () => {
  test.each<[string, object, RegExp]>([
    ['without a region', { glance_region: undefined }, /'glance_region' needs to be set/],
    ['without an image', { glance_image_id: undefined }, /'glance_image_id' needs to be set/],
    ['with what is no id', { glance_image_id: '../../v3' }, /does not look like a UUID: \.\.\/\.\.\/v3/],
  ])('%s is refused, and nothing is left', async (_, method, message) => {
    const rig = importRig(CONFIG);
    const image = await waiting(rig);

    const refused = asked(rig, image, method);

    await expect(refused).rejects.toThrow(InvalidInput);
    await expect(refused).rejects.toThrow(message);
    expect(await rig.image(image.id)).toEqual(image);
    expect([...rig.deps.sourceSecrets.kept]).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['a region', { glance_region: 'Atlantis' }, "public endpoint in region 'Atlantis'"],
    ['an interface', { glance_service_interface: 'secret' }, "secret endpoint in region 'RegionTwo'"],
  ])('with %s that the catalog does not have, it is a task that fails, as in Glance', async (_, method, named) => {
    const rig = importRig(CONFIG);
    const image = await waiting(rig, { properties: { os_type: 'windows' } });
    const taskId = await asked(rig, image, method);

    await rig.run(taskId);

    expect(await rig.deps.tasks.get(taskId)).toMatchObject({
      status: 'failure',
      message: `The catalog of who asked has no image service with a ${named}`,
    });
    expect(await rig.image(image.id)).toMatchObject({ status: 'queued', lock: null, properties: image.properties });
    expect([...rig.deps.sourceSecrets.kept]).toEqual([]);
  });

  test('in the order of the contract: the state first, then the formats, then what is missing', async () => {
    const rig = importRig(CONFIG);
    const active = await waiting(rig, { status: 'active' });
    const bare = await waiting(rig, { diskFormat: null });

    await expect(asked(rig, active, { glance_region: undefined })).rejects.toThrow(/status active/);
    await expect(asked(rig, bare, { glance_region: undefined })).rejects.toThrow(/'disk_format' needs to be set/);
  });

  test('is kept on the task, the token is not', async () => {
    const rig = importRig(CONFIG);
    const image = await waiting(rig);
    const taskId = await asked(rig, image, { glance_service_interface: 'internal' });

    const task = await rig.deps.tasks.get(taskId);
    expect(task?.input).toMatchObject({ import_req: { method: { ...METHOD, glance_service_interface: 'internal' } } });
    expect(task?.import?.method).toEqual({
      ...{ name: 'glance-download', region: 'RegionTwo', facing: 'internal', remoteImageId: REMOTE_ID },
      endpoint: 'https://two.example.org/image',
    });
    expect(JSON.stringify(task)).not.toContain('a-token');
    expect(rig.deps.sourceSecrets.kept.get(taskId)).toBe('a-token');
  });
});
