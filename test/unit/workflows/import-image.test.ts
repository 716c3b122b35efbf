/** The import of an image, every way in and every refusal: the workflow as deployed over records and stores in memory. */
import { readFile } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { quarantineKey } from '../../../bytes/keys.ts';
import type { Image } from '../../../core/images/image.ts';
import { addLocation } from '../../../core/imports/add-location.ts';
import { revertImport } from '../../../core/imports/revert.ts';
import { takeDrop } from '../../../core/imports/take-drop.ts';
import { memorySource } from '../../../formats/engine/source.ts';
import { inspect } from '../../../formats/inspect.ts';
import { openImage } from '../../../formats/registry.ts';
import { XZ_DATA } from '../../support/archives.ts';
import { BZIP2, PBZIP2 } from '../../support/bzip2-files.ts';
import { callerWith } from '../../support/caller.ts';
import { converted } from '../../support/converted.ts';
import { anImage } from '../../support/images.ts';
import { expectClean, expectImported, expectReverted, hex } from '../../support/memory/import-ends.ts';
import { type ImportRig, importRig } from '../../support/memory/imports.ts';
import { rawDisk } from '../../support/raw-disk.ts';
import { digest, ovf, tar } from '../formats/archive-builders.ts';
import { iso } from '../formats/iso/iso-builder.ts';

const MIB = 1024 * 1024;
const URI = 'https://images.example.org/disk';
const CONVERT = { image_import_plugins: ['image_conversion'] };
const to = (output_format: string, more = {}) => ({ ...CONVERT, image_conversion: { output_format, ...more } });

const RAW = rawDisk(3 * MIB);
const QCOW2 = await converted(RAW, { target: 'qcow2', compression: 'zlib' });

/** A GPT disk whose boot record names a partition beside the protective entry. */
const HYBRID = await readFile(new URL('../../fixtures/formats/disks/gpt-hybrid.qcow2', import.meta.url));

const PACKED_TWICE = [
  ['gzip in gzip', gzipSync(gzipSync(RAW)), 'gzip'],
  ['zstd in gzip', gzipSync(zstdCompressSync(RAW)), 'zstd'],
  ['gzip in zstd', zstdCompressSync(gzipSync(RAW)), 'gzip'],
] as const;

const OWN_ID = { id: '7f7f7f7f-0000-4000-8000-000000000001' };

const layouts = (image: Image) => Object.fromEntries(image.locations.map(({ store, layout }) => [store, layout]));

describe('a good import', () => {
  it('packs staged raw bytes, writes them whole where a store keeps them so, and streams to another service', async () => {
    const rig = importRig();
    const stores = ['central', 'edge', 'abroad'];
    const { id } = await rig.staged(RAW, { diskFormat: 'raw' });

    const { status, steps } = await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }, { stores }));

    expect(status).toBe('SUCCEEDED');
    expect(steps.filter((step) => step === 'copy')).toHaveLength(3);
    const image = await expectImported(rig, id, RAW, stores);
    expect(layouts(image)).toEqual({ central: 'sparse', edge: 'plain', abroad: 'sparse' });
    expect(image.locations[0]?.storedBytes).toBeLessThan(RAW.length / 5);
    expectClean(rig);
  });

  it('stores what is not raw as it arrived, and does not read it again to hash it', async () => {
    const rig = importRig();
    const { id } = await rig.staged(QCOW2, { diskFormat: 'qcow2' });

    const { states } = await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    expect(layouts(await expectImported(rig, id, QCOW2))).toEqual({ central: 'plain' });
    expect(states).not.toContain('RenderBatch');
    expectClean(rig);
  });

  it('cuts a large disk into batches', async () => {
    const large = rawDisk((8 * 16 + 1) * MIB);
    const rig = importRig(to('raw'));
    const { id } = await rig.staged(
      await converted(large, { target: 'qcow2' }),
      { diskFormat: 'qcow2' },
      { hashed: false },
    );

    const { steps } = await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    expect(steps.filter((step) => step === 'render')).toHaveLength(2);
    await expectImported(rig, id, large);
    expectClean(rig);
  });

  it('hashes staged bytes that nobody hashed', async () => {
    const rig = importRig();
    const { id } = await rig.staged(QCOW2, { diskFormat: 'qcow2' }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    await expectImported(rig, id, QCOW2);
  });

  it('converts to raw, sparse', async () => {
    const rig = importRig(to('raw'));
    const { id } = await rig.staged(QCOW2, { diskFormat: 'qcow2' }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }, { stores: ['central', 'edge'] }));

    const image = await expectImported(rig, id, RAW, ['central', 'edge']);
    expect(image).toMatchObject({ diskFormat: 'raw', virtualSize: RAW.length });
    expect(layouts(image)).toEqual({ central: 'sparse', edge: 'plain' });
    expectClean(rig);
  });

  it.each([
    ['qcow2', to('qcow2')],
    ['qcow2', to('qcow2', { compression: 'zlib' })],
    ['vmdk', to('vmdk')],
    ['vhd', to('vhd')],
    ['vhd', to('vhd', { subformat: 'fixed', whole_mib: true })],
    ['vhdx', to('vhdx')],
  ] as const)('converts raw to %s', async (format, config) => {
    const rig = importRig(config);
    const { id } = await rig.staged(RAW, { diskFormat: 'raw' }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    const image = await rig.image(id);
    const [location] = image.locations;
    const file = location === undefined ? Buffer.alloc(0) : await rig.read(image, location);
    expect(image).toMatchObject({
      status: 'active',
      diskFormat: format,
      size: file.length,
      virtualSize: RAW.length,
      checksum: hex('md5', file),
    });
    expect(await inspect(memorySource(file))).toMatchObject({ format, verdict: 'accept', virtualSize: RAW.length });
    const guest = Buffer.alloc(RAW.length);
    await (await openImage(memorySource(file), format)).readInto(0, guest);
    expect(guest.equals(RAW)).toBe(true);
    expectClean(rig);
  });

  it.each([
    ['qcow2', to('qcow2'), 3 * MIB + 512],
    ['vhd', to('vhd', { subformat: 'fixed' }), 3 * MIB + 512],
    ['vhd', to('vhd', { subformat: 'fixed', whole_mib: true }), 4 * MIB],
    ['vhdx', to('vhdx', { whole_mib: true }), 4 * MIB],
  ] as const)('says of a %s how large the disk became, padded as %j asks', async (format, config, virtualSize) => {
    const rig = importRig(config);
    const odd = Buffer.concat([RAW, Buffer.from('the end')]);
    const { id } = await rig.staged(odd, { diskFormat: 'raw' }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    const image = await rig.image(id);
    const [location] = image.locations;
    const file = location === undefined ? Buffer.alloc(0) : await rig.read(image, location);
    expect(image).toMatchObject({ status: 'active', diskFormat: format, virtualSize });
    expect(await inspect(memorySource(file))).toMatchObject({ format, verdict: 'accept', virtualSize });
  });

  it.each([
    ['dynamic', 3 * MIB, { subformat: 'fixed' }, 'fixed', 3 * MIB],
    ['fixed', 3 * MIB, { subformat: 'dynamic' }, 'dynamic', 3 * MIB],
    ['fixed', 3 * MIB + 512, { whole_mib: true }, 'dynamic', 4 * MIB],
    ['fixed', 3 * MIB + 512, { subformat: 'fixed', whole_mib: true }, 'fixed', 4 * MIB],
    ['fixed', 3 * MIB + 512, { subformat: 'fixed' }, 'as it is', 3 * MIB + 512],
    ['dynamic', 3 * MIB, { subformat: 'dynamic', whole_mib: true }, 'as it is', 3 * MIB],
    ['fixed', 3 * MIB, {}, 'as it is', 3 * MIB],
    ['dynamic', 3 * MIB, {}, 'as it is', 3 * MIB],
  ] as const)(
    'stores a %s vhd of %i bytes, where %j is asked for, %s',
    async (given, size, wanted, form, virtualSize) => {
      const disk = Buffer.concat([RAW, Buffer.alloc(size - RAW.length, 7)]);
      const vhd = await converted(disk, { target: 'vhd', subformat: given });
      const rig = importRig(to('vhd', wanted));
      const { id } = await rig.staged(vhd, { diskFormat: 'vhd' });

      await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

      const image = await rig.image(id);
      const [location] = image.locations;
      const file = location === undefined ? Buffer.alloc(0) : await rig.read(image, location);
      expect(image).toMatchObject({
        status: 'active',
        diskFormat: 'vhd',
        size: file.length,
        checksum: hex('md5', file),
      });
      expect(image.virtualSize).toBe(virtualSize);
      expect(file.equals(vhd)).toBe(form === 'as it is');
      const found = await inspect(memorySource(file));
      expect(found).toMatchObject({ verdict: 'accept', subformat: form === 'as it is' ? given : form, virtualSize });
      const guest = Buffer.alloc(disk.length);
      await (await openImage(memorySource(file), 'vhd')).readInto(0, guest);
      expect(guest.equals(disk)).toBe(true);
      expectClean(rig);
    },
  );

  it('stores an iso as it is, whatever the configuration converts to', async () => {
    const disc = iso();
    const rig = importRig(to('raw'));
    const { id } = await rig.staged(disc, { diskFormat: 'iso' }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    expect(await expectImported(rig, id, disc)).toMatchObject({ diskFormat: 'iso' });
  });

  it('takes an appliance whose disk is compressed as a whole, and stores it as it is', async () => {
    const disk = gzipSync(QCOW2);
    const disks = [
      { id: 'd0', href: 'd.gz', attributes: `capacity="${RAW.length}"`, fileAttributes: 'compression="gzip"' },
    ];
    const manifest = `SHA256(d.gz)= ${digest('sha256', disk)}`;
    const ova = tar(
      { name: 'vm.ovf', data: ovf({ disks }) },
      { name: 'vm.mf', data: manifest },
      { name: 'd.gz', data: disk },
    );
    const rig = importRig(to('raw'));
    const { id } = await rig.staged(ova, { diskFormat: 'vmdk', containerFormat: 'ova' }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    expect(await expectImported(rig, id, ova)).toMatchObject({ virtualSize: RAW.length });
  });

  it('keeps the zeros of a fixed vhd out of the stores, and writes the same bytes when it is done again', async () => {
    const files: Buffer[] = [];
    for (let round = 0; round < 2; round++) {
      const rig = importRig(to('vhd', { subformat: 'fixed' }));
      const { id } = await rig.staged(QCOW2, { ...OWN_ID, diskFormat: 'qcow2' }, { hashed: false });
      await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }, { stores: ['central', 'edge'] }));
      const image = await rig.image(id);
      expect(layouts(image)).toEqual({ central: 'sparse', edge: 'plain' });
      const [location] = image.locations;
      if (location !== undefined) files.push(await rig.read(image, location));
    }

    expect(files[0]?.length).toBe(RAW.length + 512);
    expect(files[0]?.equals(files[1] ?? Buffer.alloc(0))).toBe(true);
    expect(files[0]?.toString('hex', RAW.length + 68, RAW.length + 84)).toBe(OWN_ID.id.replaceAll('-', ''));
  });

  it.each(['raw', 'qcow2', 'vmdk', 'iso', 'ari'])(
    'takes an image of no bytes that is declared as %s',
    async (diskFormat) => {
      const rig = importRig(to('raw'));
      const { id } = await rig.staged(Buffer.alloc(0), { diskFormat });

      await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }, { stores: ['central', 'edge'] }));

      expect(await expectImported(rig, id, Buffer.alloc(0), ['central', 'edge'])).toMatchObject({ diskFormat });
      expectClean(rig);
    },
  );

  it.each(
    ['raw', 'qcow2', 'iso', 'ari'].flatMap((diskFormat) =>
      [0, null].map((length) => [diskFormat, length === 0 ? 'announces' : 'does not announce', length] as const),
    ),
  )('takes a remote file of no bytes that is declared as %s, and whose server %s its length', async (...given) => {
    const [diskFormat, , length] = given;
    const rig = importRig(to('raw'));
    const image = anImage({ diskFormat, containerFormat: 'bare' });
    await rig.deps.images.create(image);
    rig.web.set(URI, { body: Buffer.alloc(0), length, connections: 4, validator: '"1"' });

    await rig.run(await rig.task(image, { name: 'web-download', uri: URI }));

    expect(await expectImported(rig, image.id, Buffer.alloc(0))).toMatchObject({ diskFormat, size: 0 });
    expectClean(rig);
  });

  it.each([
    ['stores', { image_import_plugins: [] }, 'vmdk', QCOW2],
    ['converts', to('raw'), 'raw', RAW],
  ] as const)(
    '%s content of another format than declared where that only warns',
    async (_, config, diskFormat, bytes) => {
      const rig = importRig({ ...config, image_format: { require_image_format_match: false } });
      const { id } = await rig.staged(QCOW2, { diskFormat: 'vmdk' }, { hashed: false });

      await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

      expect(await expectImported(rig, id, bytes)).toMatchObject({ diskFormat });
    },
  );

  it.each(['aki', 'ari', 'ami'])('takes for %s what its owner says is one', async (format) => {
    const rig = importRig(CONVERT);
    const bytes = Buffer.from(RAW.subarray(MIB, MIB + 4096)).fill(0x5a, 0, 512);
    const { id } = await rig.staged(bytes, { diskFormat: format, containerFormat: format }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    await expectImported(rig, id, bytes);
  });

  it('unpacks zstd that begins with a skippable frame, as pzstd writes it', async () => {
    const rig = importRig({ image_import_plugins: ['image_decompression'] });
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
    const packed = Buffer.concat([skippable, zstdCompressSync(RAW)]);
    const { id } = await rig.staged(packed, { diskFormat: 'raw' }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    await expectImported(rig, id, RAW);
    expectClean(rig);
  });

  it.each(['mbr', 'gptmbr'])('takes a hybrid boot record where the check %s only warns', async (check) => {
    const nonfatal = { image_format: { gpt_safety_checks_nonfatal: [check] } };
    for (const config of [
      nonfatal,
      { ...to('raw'), ...nonfatal },
      { ...to('qcow2', { compression: 'zlib' }), ...nonfatal },
    ]) {
      const rig = importRig(config);
      const { id } = await rig.staged(HYBRID, { diskFormat: 'qcow2' }, { hashed: false });

      await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

      expect(await rig.image(id)).toMatchObject({ status: 'active', virtualSize: 64 * MIB });
    }
  });

  it('downloads from the web, whether or not the server tells the length', async () => {
    for (const length of [undefined, null]) {
      const rig = importRig();
      const image = anImage({ diskFormat: 'qcow2', containerFormat: 'bare' });
      await rig.deps.images.create(image);
      rig.web.set(URI, { body: QCOW2, ...(length === undefined ? {} : { length }) });

      await rig.run(await rig.task(image, { name: 'web-download', uri: URI }));

      await expectImported(rig, image.id, QCOW2);
      expectClean(rig);
    }
  });

  it('takes off what is around the image, and looks at what is inside', async () => {
    const rig = importRig({ image_import_plugins: ['image_decompression'] });
    const image = anImage({ diskFormat: 'qcow2', containerFormat: 'bare' });
    await rig.deps.images.create(image);
    rig.web.set(URI, { body: gzipSync(QCOW2) });

    await rig.run(await rig.task(image, { name: 'web-download', uri: URI }));

    expect(await expectImported(rig, image.id, QCOW2)).toMatchObject({ virtualSize: RAW.length });
    expectClean(rig);
  });

  it('injects properties, unless the requester is to be left alone', async () => {
    const inject = {
      image_import_plugins: ['inject_image_metadata'],
      inject_metadata_properties: { inject: { a: 'b' } },
    };
    const seen: Record<string, unknown>[] = [];
    for (const roles of [['member'], ['admin']]) {
      const rig = importRig(inject);
      const { id } = await rig.staged(QCOW2, { diskFormat: 'qcow2' });
      await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }, { roles }));
      seen.push((await rig.image(id)).properties);
    }

    expect(seen).toEqual([{ a: 'b' }, {}]);
  });

  it('copies an image that is there to further stores, and leaves it active', async () => {
    const rig = importRig();
    const { id } = await rig.staged(RAW, { diskFormat: 'raw' });
    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    await rig.run(await rig.task(await rig.image(id), { name: 'copy-image' }, { stores: ['edge', 'abroad'] }));

    await expectImported(rig, id, RAW, ['central', 'edge', 'abroad']);
    expectClean(rig);
  });

  it('hashes a location that a client brought, and holds it to the hash that came with it', async () => {
    const url = 's3://central/of-a-client/disk.qcow2';
    const value = hex('sha256', QCOW2);
    const outcomes: unknown[] = [];
    for (const expected of [
      { algo: 'sha256', value },
      { algo: 'sha256', value: '0'.repeat(64) },
    ]) {
      const rig = importRig({ do_secure_hash: true });
      await rig.stores.central.putObject('of-a-client/disk.qcow2', QCOW2);
      const image = anImage({ owner: 'p1', diskFormat: 'qcow2', containerFormat: 'bare' });
      await rig.deps.images.create(image);

      await addLocation(
        rig.deps,
        callerWith({ roles: ['service', 'member'], serviceRoles: ['service'], isAdmin: true }),
        image.id,
        { url, expected },
      );
      const { states } = await rig.run(rig.deps.started[0] ?? '');

      expect(states).not.toContain('Fetch');
      expect(rig.stores.central.objects.size).toBe(1);
      const { status, hashValue, locations } = await rig.image(image.id);
      outcomes.push({ status, hashValue, locations: locations.length });
    }

    expect(outcomes).toEqual([
      { status: 'active', hashValue: value, locations: 1 },
      { status: 'queued', hashValue: null, locations: 0 },
    ]);
  });

  it('takes a dropped file, whose format it finds out', async () => {
    const rig = importRig();
    const key = 'drop/p1/disk.img';
    await rig.staging.putObject(key, QCOW2);
    rig.deps.projects.set('p1', { id: 'p1', name: 'p1', domainId: 'default', enabled: true });

    const taken = await takeDrop(rig.deps, { key, sequencer: '1' });
    await rig.run(rig.deps.started[0] ?? '');

    const imageId = taken.kind === 'imported' ? taken.imageId : '';
    expect(await expectImported(rig, imageId, QCOW2)).toMatchObject({ diskFormat: 'qcow2', containerFormat: 'bare' });
    expectClean(rig);
  });

  it('sets a dropped file aside that it cannot take, with the reason', async () => {
    const rig = importRig();
    const key = 'drop/nobody/disk.img';
    await rig.staging.putObject(key, QCOW2);

    await takeDrop(rig.deps, { key, sequencer: '1' });

    expect([...rig.staging.objects.keys()]).toEqual([quarantineKey(key)]);
    expect((await rig.staging.headObject(quarantineKey(key))).metadata['reason']).toContain('no%20project');
  });
});

describe('bzip2', () => {
  const config = { image_import_plugins: ['image_decompression'] };

  it.each([
    ['of one stream', BZIP2],
    ['of several streams', PBZIP2],
  ])('%s is taken off by an import', async (_, packed) => {
    const rig = importRig(config);
    const { id } = await rig.staged(packed, { diskFormat: 'raw' }, { hashed: false });

    await rig.run(await rig.task(await rig.image(id), { name: 'glance-direct' }));

    await expectImported(rig, id, XZ_DATA);
    expectClean(rig);
  });

  it.each([
    ['is not enabled', { image_import_plugins: [] }, /stream data bzip2: .*would unpack it/u, BZIP2],
    ['stands twice over the disk', config, /compressed more than once/u, gzipSync(BZIP2)],
    ['is damaged', config, /bzip2: the stream ends too soon/u, BZIP2.subarray(0, 500)],
  ] as const)('that %s is refused, and nothing is kept', async (_, settings, message, packed) => {
    const rig = importRig(settings);
    const image = await rig.staged(packed, { diskFormat: 'raw' }, { hashed: false });
    const taskId = await rig.task(image, { name: 'glance-direct' });

    await rig.run(taskId);

    await expectReverted(rig, image, taskId, message);
  });
});

describe('an import that dies, and is ended without its workflow', () => {
  const config = { image_import_plugins: ['image_decompression'] };

  it.each([
    ['before its first step', undefined],
    ['while it begins', 'begin'],
    ['before anything is unpacked', 'plugin'],
    ['once the source is unpacked', 'plan'],
  ])('%s leaves nothing of what was staged', async (_, last) => {
    const rig = importRig(config);
    const image = await rig.staged(gzipSync(RAW), { diskFormat: 'raw' }, { hashed: false });
    const taskId = await rig.task(image, { name: 'glance-direct' });
    rig.around = async ({ step }, run) => {
      if (step === last || step === 'revert' || step === 'clean') throw new Error('the machine is gone');
      return run();
    };
    if (last !== undefined) expect(await rig.run(taskId)).toMatchObject({ status: 'FAILED' });
    rig.around = undefined;

    await revertImport(rig.deps, taskId, 'the machine is gone');
    // Twice: the first may have died half-way.
    await revertImport(rig.deps, taskId, 'the machine is gone');

    await expectReverted(rig, image, taskId, 'the machine is gone');
  });
});

describe('a step that needs longer than a function has', () => {
  afterEach(() => void vi.unstubAllEnvs());

  it('goes on as a container, whose failure is raised as the function would have', async () => {
    vi.stubEnv('GLIMPSE_FUNCTION_SECONDS', '0.001');
    const rig = importRig();
    const { id } = await rig.staged(RAW, { diskFormat: 'raw' }, { hashed: false });
    const { status, steps } = await rig.run(
      await rig.task(await rig.image(id), { name: 'glance-direct' }, { stores: ['central', 'edge'] }),
    );

    expect(status).toBe('SUCCEEDED');
    expect(steps).toEqual(expect.arrayContaining(['hash in container', 'copy in container']));
    await expectImported(rig, id, RAW, ['central', 'edge']);

    vi.stubEnv('GLIMPSE_FUNCTION_SECONDS', '0.001');
    const image = anImage({ diskFormat: 'raw', containerFormat: 'bare' });
    await rig.deps.images.create(image);
    rig.web.set(URI, { body: RAW, length: RAW.length + 1 });
    const taskId = await rig.task(image, { name: 'web-download', uri: URI });
    await rig.run(taskId);

    expect((await rig.deps.tasks.get(taskId))?.message).toContain('Content-Length said');
  });
});

/** Damages the first cluster behind the header's: no block of deflate begins like that. Its version stays. */
function damageStaged({ staging }: ImportRig): void {
  for (const [key, object] of staging.objects) {
    if (key.startsWith('staged/'))
      staging.objects.set(key, { ...object, bytes: Buffer.from(object.bytes).fill(0xff, 65_536, 65_600) });
  }
}

describe('an import that is refused', () => {
  it.each([
    ['content of another format', {}, { diskFormat: 'vmdk' }, QCOW2, /does not match|mismatch/],
    ['a disk above max_virtual_size', { max_virtual_size: MIB }, { diskFormat: 'qcow2' }, QCOW2, 'max_virtual_size'],
    [
      'a compressed image where nothing unpacks it',
      {},
      { diskFormat: 'raw' },
      gzipSync(RAW),
      'does not match stream data gzip: the import plugin image_decompression, which is not enabled, would unpack it',
    ],
    ...PACKED_TWICE.map(
      ([what, bytes, inner]) =>
        [
          what,
          { image_import_plugins: ['image_decompression'] },
          { diskFormat: 'raw' },
          bytes,
          `does not match stream data ${inner}: it is compressed more than once, and an import unpacks once`,
        ] as const,
    ),
    [
      'what no import unpacks',
      { image_import_plugins: ['image_decompression'] },
      { diskFormat: 'raw' },
      Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18]), RAW]),
      /Image disk_format raw does not match stream data lz4$/,
    ],
    [
      'what is no kernel, in a container of its own, where kernels are judged strictly',
      { image_format: { strict_kernels: true } },
      { diskFormat: 'aki', containerFormat: 'aki' },
      RAW,
      'unknown_kernel',
    ],
    [
      'more than user_storage_quota leaves',
      { user_storage_quota: '1MB' },
      { diskFormat: 'raw' },
      RAW,
      'user_storage_quota',
    ],
  ] as const)('for %s goes back to queued, with the cause', async (_, config, attributes, bytes, cause) => {
    const rig = importRig(config);
    const image = await rig.staged(bytes, attributes);
    const taskId = await rig.task(image, { name: 'glance-direct' });

    expect(await rig.run(taskId)).toMatchObject({ status: 'FAILED' });

    await expectReverted(rig, image, taskId, cause);
  });

  it('for what a batch finds is so by Gather, with the cause that the batch recorded', async () => {
    const rig = importRig(to('raw'));
    const image = await rig.staged(QCOW2, { diskFormat: 'qcow2' }, { hashed: false });
    rig.around = async ({ step }, run) => {
      if (step === 'render') damageStaged(rig);
      return run();
    };
    const taskId = await rig.task(image, { name: 'glance-direct' });

    const { steps } = await rig.run(taskId);

    expect(steps.filter((step) => step === 'render' || step === 'gather')).toEqual(['render', 'gather']);
    await expectReverted(rig, image, taskId, 'Image content cannot be used');
  });

  it.each([
    ['a page that is not there', undefined, {}, '404'],
    [
      'an empty answer that announced more',
      { body: Buffer.alloc(0), length: 1 },
      {},
      '0 bytes came, Content-Length said 1',
    ],
    ['a shorter answer than announced', { body: QCOW2, length: QCOW2.length + 1 }, {}, 'Content-Length said'],
    ['an answer announced above image_size_cap', { body: QCOW2 }, { image_size_cap: 1000 }, 'image_size_cap'],
    ['an answer that passes image_size_cap', { body: QCOW2, length: null }, { image_size_cap: 1000 }, 'image_size_cap'],
  ] as const)('for %s', async (_, answer, config, cause) => {
    const rig = importRig(config);
    const image = anImage({ diskFormat: 'qcow2', containerFormat: 'bare' });
    await rig.deps.images.create(image);
    if (answer !== undefined) rig.web.set(URI, answer);
    const taskId = await rig.task(image, { name: 'web-download', uri: URI });

    await rig.run(taskId);

    await expectReverted(rig, image, taskId, cause);
  });
});
