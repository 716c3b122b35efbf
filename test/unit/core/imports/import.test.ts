/** POST import: which failure comes first, and what an accepted request leaves (contract: import.md section 2). */
import { describe, expect, test } from 'vitest';
import type { Image } from '../../../../core/images/image.ts';
import { type ImportRequest, requestImport } from '../../../../core/imports/import.ts';
import { callerWith } from '../../../support/caller.ts';
import { aLocation, anImage } from '../../../support/images.ts';
import { type MemoryDeps, memoryDeps } from '../../../support/memory/deps.ts';
import { aTask } from '../../../support/tasks.ts';

const web = (more: Partial<ImportRequest> = {}): ImportRequest => {
  const method = { name: 'web-download', uri: 'http://example.org/i' };
  return { method, body: { method }, ...more };
};
const named = (name: string, more: Partial<ImportRequest> = {}): ImportRequest => ({
  ...{ method: { name }, body: { method: { name } } },
  ...more,
});

const OWNER = callerWith({ projectId: 'demo' });
const STRANGER = callerWith({ projectId: 'stranger' });
/** Sees the image, and may not change it. */
const READER = callerWith({ projectId: 'demo', roles: ['reader'] });

/** What is wrong besides; every row adds the fault that must be named before all that stood until then. */
interface Faults {
  request: ImportRequest;
  image: Partial<Image>;
  caller: typeof OWNER;
  config: Record<string, unknown>;
  busy?: boolean;
}
const sound = (): Faults => ({
  request: web(),
  image: { diskFormat: 'raw', containerFormat: 'bare' },
  caller: OWNER,
  config: {},
});

/** From the last check to the first. */
const CHECKS: readonly [string, (faults: Faults) => void, { kind: string; message: RegExp }][] = [
  [
    'a URI that is not allowed',
    (f) => {
      f.request = web({ method: { name: 'web-download', uri: 'ftp://example.org/i' } });
    },
    { kind: 'InvalidInput', message: /ftp/ },
  ],
  [
    'a store that is not configured',
    (f) => {
      f.request = { ...f.request, stores: ['nowhere'] };
    },
    { kind: 'Conflict', message: /"nowhere" is not configured/ },
  ],
  [
    'stores named twice over',
    (f) => {
      f.request = { ...f.request, allStores: true };
    },
    { kind: 'InvalidInput', message: /'all_stores' and 'stores'/ },
  ],
  [
    'another import at work',
    (f) => {
      f.busy = true;
    },
    { kind: 'Conflict', message: /import task in progress/ },
  ],
  [
    'a caller whom policy forbids',
    (f) => {
      f.caller = READER;
    },
    { kind: 'Forbidden', message: /modify_image/ },
  ],
  [
    'no disk_format',
    (f) => {
      f.image = { ...f.image, diskFormat: null };
    },
    { kind: 'Conflict', message: /'disk_format' needs to be set/ },
  ],
  [
    'no container_format',
    (f) => {
      f.image = { ...f.image, containerFormat: null };
    },
    { kind: 'Conflict', message: /'container_format' needs to be set/ },
  ],
  [
    'a status to import from',
    (f) => {
      f.image = { ...f.image, status: 'uploading' };
    },
    { kind: 'Conflict', message: /needs to be in 'queued' state.*'uploading'/ },
  ],
  [
    'an active image',
    (f) => {
      f.image = { ...f.image, status: 'active' };
    },
    { kind: 'Conflict', message: /status active cannot be target/ },
  ],
  [
    'a caller who does not see the image',
    (f) => {
      f.caller = STRANGER;
    },
    { kind: 'NotFound', message: /No image found/ },
  ],
  [
    'a project over its limit',
    (f) => {
      f.config = { ...f.config, use_keystone_limits: true, registered_limits: { image_size_total: 0 } };
    },
    { kind: 'LimitExceeded', message: /image_size_total/ },
  ],
  [
    'a method that is not enabled',
    (f) => {
      f.config = { ...f.config, enabled_import_methods: ['glance-direct'] };
    },
    { kind: 'InvalidInput', message: /Unknown import method name 'web-download'/ },
  ],
];

async function play({ request, image: attributes, caller, config, busy = false }: Faults): Promise<MemoryDeps> {
  const deps = memoryDeps(config);
  const holder = aTask();
  await deps.tasks.create(holder);
  const image = anImage({ ...attributes, visibility: 'private', ...(busy && { lock: holder.id }) });
  await deps.images.create(image);
  // Whoever asks is over a limit of nothing as soon as something is stored.
  await deps.images.create(
    anImage({ owner: caller.projectId, status: 'active', size: 2 ** 20, locations: [aLocation('central')] }),
  );
  await requestImport(deps, caller, image.id, request);
  return deps;
}

describe('what refuses an import first', () => {
  test.each(CHECKS.map(([name, , refused], at) => [name, at, refused] as const))('%s', async (_, at, refused) => {
    const faults = sound();
    for (const [, add] of CHECKS.slice(0, at + 1)) add(faults);

    await expect(play(faults)).rejects.toMatchObject({
      kind: refused.kind,
      message: expect.stringMatching(refused.message),
    });
  });
});

describe('an import that is accepted', () => {
  test('has a task, holds the image, has a duty, and runs under the task’s id', async () => {
    const deps = memoryDeps();
    const image = anImage({ diskFormat: 'raw', containerFormat: 'bare' });
    await deps.images.create(image);

    const task = await requestImport(deps, OWNER, image.id, web({ stores: ['dcn0', 'central', 'dcn0'] }));

    expect(task).toMatchObject({
      ...{ type: 'api_image_import', status: 'pending', imageId: image.id, owner: 'demo', requestId: 'req-1' },
      import: {
        method: { name: 'web-download', uri: 'http://example.org/i' },
        ...{ stores: ['dcn0', 'central'], allStoresMustSucceed: true, roles: OWNER.roles },
      },
    });
    expect(await deps.tasks.get(task?.id ?? '')).toEqual(task);
    expect(await deps.images.get(image.id)).toMatchObject({ status: 'queued', lock: task?.id });
    expect(deps.started).toEqual([task?.id]);
    expect(await deps.duties.due(deps.time.nowMs + 60_000, 9)).toMatchObject([
      { id: `task:${task?.id}`, kind: 'task' },
    ]);
  });

  test('takes over a lock whose task has ended', async () => {
    const deps = memoryDeps();
    const ended = aTask({ status: 'failure' });
    await deps.tasks.create(ended);
    const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', lock: ended.id });
    await deps.images.create(image);

    const task = await requestImport(deps, OWNER, image.id, web());

    expect(await deps.images.get(image.id)).toMatchObject({ lock: task?.id });
  });

  test('of copy-image goes to the stores that lack the image, and to none when all hold it', async () => {
    const deps = memoryDeps();
    const formats = { diskFormat: 'raw', containerFormat: 'bare' };
    const admin = callerWith({ projectId: 'demo', isAdmin: true, roles: ['admin'] });
    const here = anImage({ ...formats, status: 'active', locations: [aLocation('central')] });
    const everywhere = anImage({
      ...{ ...formats, status: 'active' },
      locations: ['central', 'dcn0', 'dcn1'].map((store) => aLocation(store)),
    });
    await deps.images.create(here);
    await deps.images.create(everywhere);

    const task = await requestImport(deps, admin, here.id, named('copy-image', { allStores: true }));
    const none = await requestImport(deps, admin, everywhere.id, named('copy-image', { allStores: true }));

    expect(task?.import?.stores).toEqual(['dcn0', 'dcn1']);
    expect(none).toBeUndefined();
    await expect(
      requestImport(deps, admin, everywhere.id, named('copy-image', { stores: ['dcn0'] })),
    ).rejects.toMatchObject({
      kind: 'InvalidInput',
      message: expect.stringMatching(/already present at store "dcn0"/),
    });
    await expect(
      requestImport(deps, callerWith({ projectId: 'demo' }), everywhere.id, named('copy-image', { allStores: true })),
    ).rejects.toMatchObject({ kind: 'Forbidden', message: expect.stringMatching(/copy_image/) });
  });
});
