/** Plugin image_introspection: what the engine finds out stays on the image, on every way that an import takes. */
import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { imageView } from '../../../api/images/view.ts';
import { BackendUnavailable } from '../../../core/errors.ts';
import type { Image } from '../../../core/images/image.ts';
import type { ImageChange } from '../../../core/images/repository.ts';
import { finishImport } from '../../../core/imports/settle.ts';
import { takeDrop } from '../../../core/imports/take-drop.ts';
import type { PropertyProtections } from '../../../core/policy/port.ts';
import { converted } from '../../support/converted.ts';
import { type ImportRig, importRig } from '../../support/memory/imports.ts';
import { ovf, tar } from '../formats/archive-builders.ts';

const MIB = 1024 * 1024;
const disk = async (name: string) =>
  gunzipSync(await readFile(new URL(`../../fixtures/formats/disks/${name}.gz`, import.meta.url)));
const BUSLOGIC = await disk('vmdk-sparse-buslogic.vmdk');
const OF_BUSLOGIC = { vmware_adaptertype: 'busLogic', vmware_disktype: 'sparse', hw_disk_bus: 'scsi' };

/** A disk with one partition, which only this firmware starts from. */
function bootable(firmware: 'uefi' | 'bios'): Buffer {
  const bytes = Buffer.alloc(2 * MIB);
  bytes.set([firmware === 'bios' ? 0x80 : 0, 0, 2, 0, firmware === 'bios' ? 0x83 : 0xef, 0, 0, 0], 446);
  bytes.writeUInt32LE(2048, 454);
  bytes.writeUInt32LE(2048, 458);
  bytes.writeUInt16LE(0xaa55, 510);
  return bytes;
}

/** An x86 kernel that runs in 64 bits. */
const KERNEL = Buffer.alloc(4096);
KERNEL.write('HdrS', 0x202);
KERNEL.writeUInt16LE(0x20f, 0x206);
KERNEL.writeUInt16LE(1, 0x236);

const APPLIANCE = tar(
  {
    name: 'vm.ovf',
    data: ovf({
      extra:
        '<OperatingSystemSection id="1" vmw:osType="ubuntu64Guest"/><vmw:Config vmw:key="firmware" vmw:value="efi"/>',
    }),
  },
  { name: 'disk.img', data: Buffer.alloc(MIB) },
);

const config = (...plugins: readonly string[]) => ({ image_import_plugins: [...plugins, 'image_introspection'] });

interface Given {
  readonly bytes: Uint8Array;
  readonly diskFormat: string;
  readonly containerFormat?: string;
  readonly properties?: Image['properties'];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly roles?: readonly string[];
  readonly protections?: PropertyProtections;
}

async function imported({ bytes, roles = ['member'], protections, ...given }: Given): Promise<[ImportRig, Image]> {
  const { diskFormat, containerFormat = 'bare', properties = {} } = given;
  const rig = importRig(given.config ?? config());
  if (protections !== undefined) Object.assign(rig.deps, { protections });
  const { id } = await rig.staged(bytes, { diskFormat, containerFormat, properties }, { hashed: false });
  await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }, { roles }));
  return [rig, await rig.image(id)];
}

const sources = (rig: ImportRig, image: Image) =>
  Object.fromEntries(
    Object.entries(imageView(image, { config: rig.deps.config, isAdmin: false })).filter(([key]) =>
      key.startsWith('os_glance_source_'),
    ),
  );

describe('what is found stays on the image', () => {
  it.each<[string, Given, Record<string, string>]>([
    ['a vmdk', { bytes: BUSLOGIC, diskFormat: 'vmdk' }, OF_BUSLOGIC],
    ['a disk for UEFI', { bytes: bootable('uefi'), diskFormat: 'raw' }, { hw_firmware_type: 'uefi' }],
    ['a disk for BIOS', { bytes: bootable('bios'), diskFormat: 'raw' }, { hw_firmware_type: 'bios' }],
    ['a kernel', { bytes: KERNEL, diskFormat: 'aki' }, { architecture: 'x86_64' }],
    [
      'a kernel in a container of its own',
      { bytes: KERNEL, diskFormat: 'aki', containerFormat: 'aki' },
      { architecture: 'x86_64' },
    ],
    [
      'an appliance',
      { bytes: APPLIANCE, diskFormat: 'vmdk', containerFormat: 'ova' },
      { hw_firmware_type: 'uefi', vmware_ostype: 'ubuntu64Guest' },
    ],
    [
      'what is inside a compressed file',
      { bytes: gzipSync(BUSLOGIC), diskFormat: 'vmdk', config: config('image_decompression') },
      OF_BUSLOGIC,
    ],
    ['bytes that say nothing', { bytes: Buffer.alloc(MIB), diskFormat: 'raw' }, {}],
    ['no bytes', { bytes: Buffer.alloc(0), diskFormat: 'raw' }, {}],
    ['any import without the plugin', { bytes: BUSLOGIC, diskFormat: 'vmdk', config: {} }, {}],
  ])('of %s', async (_, given, properties) => {
    const [rig, image] = await imported(given);

    expect(image).toMatchObject({ status: 'active', properties });
    expect(Object.keys(image.properties).sort()).toEqual(Object.keys(properties).sort());
    expect(sources(rig, image)).toEqual({});
  });

  it('with the first copy, where an image turns active by that', async () => {
    const rig = importRig(config());
    const { id } = await rig.staged(BUSLOGIC, { diskFormat: 'vmdk' });
    const options = { stores: ['central', 'abroad'], allStoresMustSucceed: false };
    const seen: Image['properties'][] = [];
    rig.around = async (_call, call) => {
      const result = await call();
      const image = await rig.image(id);
      if (image.status === 'active') seen.push(image.properties);
      return result;
    };

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }, options));

    expect(seen.length).toBeGreaterThan(1);
    for (const properties of seen) expect(properties).toEqual(OF_BUSLOGIC);
  });

  it('of a dropped file', async () => {
    const rig = importRig(config());
    rig.deps.projects.set('demo', { id: 'demo', name: 'demo', domainId: 'default', enabled: true });
    await rig.staging.putObject('drop/demo/a.vmdk', BUSLOGIC);
    const taken = await takeDrop(rig.deps, { key: 'drop/demo/a.vmdk', sequencer: '1' });
    if (taken.kind !== 'imported') throw new Error(JSON.stringify(taken));
    const [taskId = ''] = rig.deps.started;

    await rig.run(taskId);

    expect((await rig.image(taken.imageId)).properties).toEqual(OF_BUSLOGIC);
  });
});

describe('where the image is converted', () => {
  const to = (output_format: string, ...plugins: string[]) => ({
    image_import_plugins: plugins,
    image_conversion: { output_format },
  });

  it.each([
    ['before', ['image_conversion', 'image_introspection']],
    ['behind', ['image_introspection', 'image_conversion']],
  ])('what the guest needs stays, and what the file was is told, with the conversion %s it', async (_, plugins) => {
    const [rig, image] = await imported({ bytes: BUSLOGIC, diskFormat: 'vmdk', config: to('raw', ...plugins) });

    expect(image).toMatchObject({ diskFormat: 'raw' });
    expect(image.properties).toEqual({ vmware_adaptertype: 'busLogic', hw_disk_bus: 'scsi' });
    expect(sources(rig, image)).toEqual({
      os_glance_source_format: 'vmdk',
      os_glance_source_subformat: 'monolithicSparse',
      os_glance_source_adapter_type: 'busLogic',
    });
  });

  it('a vmdk says how it was written', async () => {
    const bytes = await converted(bootable('uefi'), { target: 'qcow2' });
    const plugins = to('vmdk', 'image_conversion', 'image_introspection');

    const [rig, image] = await imported({ bytes, diskFormat: 'qcow2', config: plugins });

    expect(image.properties).toEqual({ hw_firmware_type: 'uefi', vmware_disktype: 'streamOptimized' });
    expect(sources(rig, image)).toMatchObject({ os_glance_source_format: 'qcow2' });
  });
});

describe('who set a property is heard', () => {
  it('its owner', async () => {
    const properties = { hw_disk_bus: 'virtio', vmware_adaptertype: '' };

    const [, image] = await imported({ bytes: BUSLOGIC, diskFormat: 'vmdk', properties });

    expect(image.properties).toEqual({ ...properties, vmware_disktype: 'sparse' });
  });

  it.each([
    ['before', ['inject_image_metadata', 'image_introspection']],
    ['behind', ['image_introspection', 'inject_image_metadata']],
  ])('the administrator, by what is injected %s it', async (_, plugins) => {
    const injected = { inject_metadata_properties: { inject: { hw_disk_bus: 'sata' } } };

    const [, image] = await imported({
      ...{ bytes: BUSLOGIC, diskFormat: 'vmdk' },
      config: { image_import_plugins: plugins, ...injected },
    });

    expect(image.properties).toEqual({ ...OF_BUSLOGIC, hw_disk_bus: 'sata' });
  });

  it('whoever changes or removes one while the last step is tried again', async () => {
    const rig = importRig(config());
    const { id } = await rig.staged(BUSLOGIC, { diskFormat: 'vmdk' });
    const task = await rig.task(await rig.image(id), { name: 'glance-direct' });
    let tries = 0;
    rig.around = async ({ step }, call) => {
      if (step !== 'finish' || tries++ > 0) return call();
      // The step wrote the image, and died before it closed its task.
      const { move } = rig.deps.tasks;
      Object.assign(rig.deps.tasks, { move: () => Promise.reject(new BackendUnavailable('gone')) });
      await call().catch(() => undefined);
      Object.assign(rig.deps.tasks, { move });
      const { properties } = await rig.image(id);
      const { vmware_disktype: _, ...rest } = properties as Record<string, string>;
      await rig.deps.images.change(id, { set: { properties: { ...rest, hw_disk_bus: 'sata' } } });
      return call();
    };

    await rig.run(task);

    expect(tries).toBe(1);
    expect(await rig.image(id)).toMatchObject({ status: 'active', lock: null });
    expect((await rig.image(id)).properties).toEqual({ vmware_adaptertype: 'busLogic', hw_disk_bus: 'sata' });
    await finishImport(rig.deps, task);
    expect((await rig.image(id)).properties).toEqual({ vmware_adaptertype: 'busLogic', hw_disk_bus: 'sata' });
  });

  it('whoever sets one between the last look at the image and the write', async () => {
    const rig = importRig(config());
    const { id } = await rig.staged(BUSLOGIC, { diskFormat: 'vmdk' });
    const { change } = rig.deps.images;
    let isRaced = false;
    Object.assign(rig.deps.images, {
      change: async (image: string, asked: ImageChange) => {
        if (asked.set?.origin !== undefined && !isRaced) {
          isRaced = true;
          await change(image, { mergeProperties: { hw_disk_bus: 'virtio' } });
        }
        return change(image, asked);
      },
    });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    expect(isRaced).toBe(true);
    expect((await rig.image(id)).properties).toEqual({ ...OF_BUSLOGIC, hw_disk_bus: 'virtio' });
  });
});

describe('rules hold', () => {
  it('a property that who asked may not make is not made for them', async () => {
    const may = () => true;
    const protections: PropertyProtections = {
      mayCreate: (name, caller) => !name.startsWith('hw_') || caller.isAdmin,
      ...{ mayRead: may, mayUpdate: may, mayDelete: may },
    };
    const given = { bytes: BUSLOGIC, diskFormat: 'vmdk', protections };

    const [, ofMember] = await imported(given);
    const [, ofAdmin] = await imported({ ...given, roles: ['admin'] });

    expect(Object.keys(ofMember.properties).sort()).toEqual(['vmware_adaptertype', 'vmware_disktype']);
    expect(ofAdmin.properties).toEqual(OF_BUSLOGIC);
  });

  it('an image whose quota has no room for all keeps what fits, and is imported', async () => {
    const [, image] = await imported({
      ...{ bytes: BUSLOGIC, diskFormat: 'vmdk', properties: { mine: '1' } },
      config: { ...config(), image_property_quota: 2 },
    });

    expect(image.status).toBe('active');
    expect(Object.keys(image.properties)).toHaveLength(2);
    expect(image.properties).toMatchObject({ mine: '1' });
  });

  it('a failed import leaves nothing behind', async () => {
    const rig = importRig(config());
    const { id } = await rig.staged(BUSLOGIC, { diskFormat: 'vmdk' });
    rig.around = ({ step }, call) => (step === 'copy' ? Promise.reject(new Error('no store')) : call());

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    expect(await rig.image(id)).toMatchObject({ status: 'queued', properties: {}, origin: null });
  });
});
