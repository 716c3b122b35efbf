/**
 * Quotas under requests that come together at two processes (each with dependencies of its own over the same records): exactly as many
 * as fit get through, in memory and on the table, by every way in.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { createImageListing } from '../../../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../../../aws/dynamodb/images.ts';
import { createMemberRepository } from '../../../../aws/dynamodb/members.ts';
import { createUsageRepository } from '../../../../aws/dynamodb/usage.ts';
import { planRendering } from '../../../../bytes/render/plan.ts';
import { countedImages } from '../../../../core/images/counted.ts';
import { createImage } from '../../../../core/images/create.ts';
import { deleteImage } from '../../../../core/images/delete.ts';
import type { Image } from '../../../../core/images/image.ts';
import { addMember, removeMember } from '../../../../core/images/members.ts';
import { patchImage } from '../../../../core/images/patch.ts';
import { abandonUpload, beginUpload, completeFile, completeStage, dutyOf } from '../../../../core/images/upload.ts';
import { addLocation } from '../../../../core/imports/add-location.ts';
import { beginImport } from '../../../../core/imports/begin.ts';
import { acceptDrop } from '../../../../core/imports/drop.ts';
import { requestImport } from '../../../../core/imports/import.ts';
import { importTask } from '../../../../core/imports/report/import-task.ts';
import { revertImport } from '../../../../core/imports/revert.ts';
import { finishImport, hashed, storeDone } from '../../../../core/imports/settle.ts';
import { recountAll } from '../../../../core/quota/counter.ts';
import { NO_USAGE } from '../../../../core/quota/usage.ts';
import { callerWith } from '../../../support/caller.ts';
import { aLocation, anImage } from '../../../support/images.ts';
import { type MemoryDeps, memoryDeps } from '../../../support/memory/deps.ts';
import { startTable } from '../../../support/table.ts';

const MIB = 1024 * 1024;
const OWNER = callerWith({ projectId: 'demo', roles: ['member', 'service'] });
const MEMBER = callerWith({ projectId: 'demo' });
const ADMIN = callerWith({ projectId: 'demo', roles: ['admin'], isAdmin: true });
const PARALLEL = 20;
const SIZE = 10 * MIB;
/** Seven of `SIZE` fit. */
const FITTING = 7;
const PLENTY = { image_size_total: -1, image_stage_total: -1, image_count_total: -1, image_count_uploading: -1 };
const limited = (limits: Partial<typeof PLENTY>) => ({
  use_keystone_limits: true,
  registered_limits: { ...PLENTY, ...limits },
});
const STORAGE = [
  ['user_storage_quota', { user_storage_quota: '75MB' }],
  ['image_size_total', limited({ image_size_total: 75 })],
] as const;

/** Two processes over the same records, and one that only looks. */
type Processes = readonly [MemoryDeps, MemoryDeps, MemoryDeps];
type Open = (config: Record<string, unknown>) => Promise<Processes>;

function suite(open: Open): void {
  const openLimited = (config: Record<string, unknown>) =>
    open({ show_multiple_locations: true, do_secure_hash: false, ...config });

  /** Runs work on `PARALLEL` new images at once, every other one by the other process. */
  async function race(
    [one, other]: Processes,
    work: (deps: MemoryDeps, image: Image, n: number) => Promise<unknown>,
    attributes: Partial<Image> = {},
  ) {
    const images = Array.from({ length: PARALLEL }, () =>
      anImage({ owner: 'demo', diskFormat: 'qcow2', containerFormat: 'bare', ...attributes }),
    );
    for (const image of images) await one.images.create(image);
    const ended = await Promise.allSettled(images.map((image, n) => work(n % 2 === 0 ? one : other, image, n)));
    const refused = ended.filter((end) => end.status === 'rejected').map(({ reason }) => reason);
    return {
      through: PARALLEL - refused.length,
      kinds: [...new Set(refused.map(({ kind }) => kind))].map(
        (kind) => kind ?? String(refused.find((error) => error.kind === undefined)),
      ),
    };
  }
  const LIMITED = { through: FITTING, kinds: ['LimitExceeded'] };

  /** The counter says what the records say, with nothing left over. */
  async function expectEven([, , deps]: Processes, storedBytes?: number): Promise<void> {
    const records = await deps.imageList.usageOf('demo');
    const { images: _, ...counted } = (await deps.usage.of('demo'))?.usage ?? NO_USAGE;
    expect(records).toMatchObject(counted);
    if (storedBytes !== undefined) expect(counted.storedBytes).toBe(storedBytes);
  }

  const received = (size: number, id: string) => ({ size, storedBytes: size, url: `s3://b/${id}`, virtualSize: null });
  async function upload(deps: MemoryDeps, imageId: string, kind: 'file' | 'stage', declaredSize?: number) {
    const begun = await beginUpload(deps, OWNER, { kind, imageId, store: undefined, declaredSize });
    try {
      await (kind === 'file' ? completeFile : completeStage)(deps, begun, received(SIZE, imageId));
    } catch (error) {
      await abandonUpload(deps, dutyOf(deps, begun));
      throw error;
    }
  }

  /** An import as its workflow plays it: `source` bytes arrive, `size` bytes are what a download returns. */
  async function runImport(deps: MemoryDeps, taskId: string, source: number, size = source) {
    try {
      const { stores } = await beginImport(deps, taskId);
      const staged = { place: 'staging', prefix: 'p', layout: 'plain', size } as const;
      await deps.tasks.note(taskId, { source: { ...staged, size: source } });
      await planRendering(deps as never, await importTask(deps, taskId));
      await deps.tasks.note(taskId, { rendered: staged });
      for (const store of stores)
        await storeDone(deps, await importTask(deps, taskId), { ...aLocation(store), writeId: taskId });
      await hashed(deps, await importTask(deps, taskId), { md5: 'm', hash: { algo: 'sha512', value: 'h' } });
      await finishImport(deps, taskId);
    } catch (error) {
      await revertImport(deps, taskId, String(error));
      throw error;
    }
  }
  async function imported(deps: MemoryDeps, id: string, method: { name: string; uri?: string }, stores?: string[]) {
    const caller = method.name === 'copy-image' ? ADMIN : OWNER;
    const task = await requestImport(deps, caller, id, { method, body: { method }, ...(stores && { stores }) });
    return task?.id ?? '';
  }
  const WEB = { name: 'web-download', uri: 'http://example.org/x' };

  test('members of an image', async () => {
    const [one, other] = await open({ image_member_quota: FITTING });
    const image = anImage();
    await one.images.create(image);
    const add = (n: number) => addMember(n % 2 === 0 ? one : other, MEMBER, image.id, `project-${n}`);

    const ended = await Promise.allSettled(Array.from({ length: PARALLEL }, (_, n) => add(n)));

    const members = await other.members.list(image.id);
    expect(members).toHaveLength(FITTING);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(FITTING);
    await removeMember(other, MEMBER, image.id, members[0]?.project ?? '');
    await expect(addMember(one, MEMBER, image.id, 'late')).resolves.toMatchObject({ project: 'late' });
    await expect(addMember(one, MEMBER, image.id, 'too-late')).rejects.toMatchObject({ kind: 'LimitExceeded' });
  });

  test('images of a project, made and removed', async () => {
    const [one, other] = await open(limited({ image_count_total: FITTING }));
    const make = (n: number) => createImage(n % 2 === 0 ? one : other, OWNER, { properties: {}, computed: [] });

    const ended = await Promise.allSettled(Array.from({ length: PARALLEL }, (_, n) => make(n)));
    const made = ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    expect(made).toHaveLength(FITTING);
    await Promise.all(made.map(({ id }, n) => deleteImage(n % 2 === 0 ? other : one, OWNER, id)));

    expect((await one.usage.of('demo'))?.usage).toEqual(NO_USAGE);
  });

  describe.each(STORAGE)('%s', (_, config) => {
    test.each([SIZE, undefined])('PUT file, declared %s', async (declared) => {
      const processes = await openLimited(config);

      expect(await race(processes, (deps, { id }) => upload(deps, id, 'file', declared))).toEqual(LIMITED);
      await expectEven(processes, FITTING * SIZE);
    });

    test('POST locations', async () => {
      const processes = await openLimited(config);
      const add = (deps: MemoryDeps, { id }: Image) =>
        addLocation(deps, OWNER, id, { url: `s3://central-bucket/${id}` });

      expect(await race(processes, add)).toEqual(LIMITED);
      await expectEven(processes, FITTING * SIZE);
    });

    test('PATCH locations', async () => {
      const processes = await openLimited(config);
      const patch = (deps: MemoryDeps, { id }: Image) =>
        patchImage(deps, OWNER, id, [
          {
            ...{ kind: 'locations', op: 'add', strict: true, name: 'locations', at: 'end' },
            values: [{ url: `s3://central-bucket/${id}`, metadata: {} }],
          } as never,
        ]);

      expect(await race(processes, patch)).toEqual(LIMITED);
      await expectEven(processes, FITTING * SIZE);
    });

    test.each([
      ['as it came', SIZE, SIZE],
      ['converted to more', MIB, SIZE],
    ])('glance-direct, %s', async (_how, source, size) => {
      const processes = await openLimited(config);
      const staged = { writeId: 'w', layout: 'plain', size: source } as const;
      const run = async (deps: MemoryDeps, { id }: Image) =>
        runImport(deps, await imported(deps, id, { name: 'glance-direct' }), source, size);

      expect(await race(processes, run, { status: 'uploading', size: source, staged })).toMatchObject({
        kinds: ['LimitExceeded'],
        through: source === size ? FITTING : expect.any(Number),
      });
      await expectEven(processes);
      expect((await processes[0].usage.of('demo'))?.usage.storedBytes).toBeLessThanOrEqual(75 * MIB);
    });

    test('web-download', async () => {
      const processes = await openLimited(config);
      const run = async (deps: MemoryDeps, { id }: Image) => runImport(deps, await imported(deps, id, WEB), SIZE);

      expect(await race(processes, run)).toEqual(LIMITED);
      await expectEven(processes, FITTING * SIZE);
    });

    test('a dropped file', async () => {
      const processes = await openLimited(config);
      for (const { projects } of processes)
        projects.set('demo', { id: 'demo', name: 'demo', domainId: 'default', enabled: true });
      const drop = async (deps: MemoryDeps, _image: Image, n: number) => {
        const key = `drop/demo/${n}.qcow2`;
        const taken = await acceptDrop(deps, { bucket: 'b', key, etag: 'e', size: SIZE, sequencer: '1', metadata: {} });
        await runImport(deps, taken.kind === 'imported' ? taken.taskId : '', SIZE);
      };

      expect(await race(processes, drop)).toEqual(LIMITED);
      await expectEven(processes, FITTING * SIZE);
    });

    test('copy-image', async () => {
      const processes = await openLimited({ ...config, user_storage_quota: '275MB' });
      const run = async (deps: MemoryDeps, { id }: Image) =>
        runImport(deps, await imported(deps, id, { name: 'copy-image' }, ['dcn0']), SIZE);
      const active = { status: 'active', size: SIZE, locations: [aLocation('central')] } as const;
      const isUnified = 'use_keystone_limits' in config;
      const limit = { ...processes[0].config.registered_limits, image_size_total: 275 };
      if (isUnified) for (const deps of processes) Object.assign(deps.config.registered_limits, limit);

      expect(await race(processes, run, active)).toEqual(LIMITED);
      await expectEven(processes, (PARALLEL + FITTING) * SIZE);
    });
  });

  test.each([SIZE, undefined])('image_stage_total: PUT stage, declared %s', async (declared) => {
    const processes = await open(limited({ image_stage_total: 75 }));

    expect(await race(processes, (deps, { id }) => upload(deps, id, 'stage', declared))).toEqual(LIMITED);
    await expectEven(processes);
    expect((await processes[0].usage.of('demo'))?.usage.stagedBytes).toBe(FITTING * SIZE);
  });

  test('image_stage_total: copy-image', async () => {
    const processes = await open(limited({ image_stage_total: 75 }));
    const begin = async (deps: MemoryDeps, { id }: Image) =>
      beginImport(deps, await imported(deps, id, { name: 'copy-image' }, ['dcn0']));
    const active = { status: 'active', size: SIZE, locations: [aLocation('central')] } as const;

    expect(await race(processes, begin, active)).toEqual(LIMITED);
    await expectEven(processes);
  });

  test.each([
    ['PUT file', (deps: MemoryDeps, { id }: Image) => beginUpload(deps, OWNER, { ...FILE, imageId: id })],
    ['web-download', async (deps: MemoryDeps, { id }: Image) => beginImport(deps, await imported(deps, id, WEB))],
  ] as const)('image_count_uploading: %s', async (_, begin) => {
    const processes = await open(limited({ image_count_uploading: FITTING }));

    expect(await race(processes, begin)).toEqual(LIMITED);
    await expectEven(processes);
  });

  test('an image that gets another owner takes its place there, or stays', async () => {
    const processes = await openLimited({ user_storage_quota: '75MB' });
    const active = { status: 'active', size: SIZE, locations: [aLocation('central')] } as const;
    const give = (deps: MemoryDeps, { id }: Image) =>
      patchImage(deps, ADMIN, id, [
        { kind: 'base', op: 'replace', strict: true, name: 'owner', attribute: 'owner', value: 'demo' },
      ]);

    expect(await race(processes, give, { ...active, owner: 'other' })).toEqual(LIMITED);
    await expectEven(processes, FITTING * SIZE);
  });

  test('records of before are counted at the first use, and what a crash left at the next quiet minute', async () => {
    const processes = await openLimited({ user_storage_quota: '75MB' });
    const [one, other] = processes;
    const before = {
      ...anImage({ owner: 'demo', status: 'active', size: 6 * SIZE }),
      locations: [aLocation('central')],
    };
    await one.images.create(before);
    expect(await race(processes, (deps, { id }) => upload(deps, id, 'file', SIZE))).toEqual({ ...LIMITED, through: 1 });

    await one.usage.add('demo', { ...NO_USAGE, storedBytes: -3 * SIZE });
    await recountAll(other);
    expect((await one.usage.of('demo'))?.usage.storedBytes).toBe(4 * SIZE);
    one.time.nowMs += 61_000;
    await recountAll(other);

    await expectEven(processes, 7 * SIZE);
  });
}

const FILE = { kind: 'file', store: undefined, declaredSize: undefined } as const;
/** Whatever a client names is there, of `SIZE` bytes. */
const locations = { find: async () => ({ store: 'central', size: SIZE }) };
const store = { sparse: true, canCopyFrom: () => true };
const ports = () => ({
  newId: () => randomUUID() as string,
  locations,
  places: { staging: store, store: () => store },
});

describe('in memory', () => {
  suite(async (config) => {
    const one = memoryDeps(config, ports());
    return [one, { ...one }, one];
  });
});

describe('on the table', () => {
  const opened: Awaited<ReturnType<typeof startTable>>[] = [];
  afterAll(async () => {
    for (const { close } of opened) await close();
  });
  suite(async (config) => {
    const database = await startTable();
    opened.push(database);
    const shared = memoryDeps(config, ports());
    const open = (): MemoryDeps => {
      const table = database.another();
      const counter = {
        ...shared,
        imageList: createImageListing(table),
        usage: createUsageRepository(table, shared),
      };
      return {
        ...counter,
        images: countedImages(createImageRepository(table, shared), counter),
        members: createMemberRepository(table),
      };
    };
    return [open(), open(), open()];
  });
});
