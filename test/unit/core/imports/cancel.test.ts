/** Imports that somebody ends, and begins again, on records and stores in memory. */
import { describe, expect, test } from 'vitest';
import { importView } from '../../../../api/imports/view.ts';
import { deleteImage } from '../../../../core/images/delete.ts';
import type { Image } from '../../../../core/images/image.ts';
import { beginUpload } from '../../../../core/images/upload.ts';
import { cancelImport } from '../../../../core/imports/cancel.ts';
import { requestImport } from '../../../../core/imports/import.ts';
import { importTask } from '../../../../core/imports/report/import-task.ts';
import { retryImport } from '../../../../core/imports/retry.ts';
import { janitor } from '../../../../core/janitor/janitor.ts';
import { callerWith } from '../../../support/caller.ts';
import { aLocation, anImage } from '../../../support/images.ts';
import { type ImportRig, importRig } from '../../../support/memory/imports.ts';

const BYTES = Buffer.alloc(4096, 7);
const OWNER = callerWith({ projectId: 'demo' });
const ADMIN = callerWith({ isAdmin: true, roles: ['admin'] });
const HOUR_MS = 60 * 60_000;
const LIMITS = {
  use_keystone_limits: true,
  registered_limits: { image_size_total: -1, image_stage_total: 1, image_count_total: -1, image_count_uploading: -1 },
};
const WEB = { name: 'web-download', uri: 'https://example.org/disk' };

async function begun(rig: ImportRig, image: Image, method: { name: string; uri?: string }, stores = ['central']) {
  const task = await requestImport(rig.deps, OWNER, image.id, { method, body: { method }, stores });
  if (task === undefined) throw new Error('nothing was begun');
  return task.id;
}

async function stagedImport(config = {}) {
  const rig = importRig(config);
  const image = await rig.staged(BYTES, { diskFormat: 'raw', owner: 'demo' });
  return { rig, image, taskId: await begun(rig, image, { name: 'glance-direct' }) };
}

async function queuedImport(uri = WEB.uri) {
  const rig = importRig();
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', owner: 'demo' });
  await rig.deps.images.create(image);
  rig.web.set(uri, { body: BYTES });
  return { rig, image, taskId: await begun(rig, image, { ...WEB, uri }) };
}

/** What an import does until the cancellation strikes it at a state; the rest is played as it comes. */
async function cancelledAt(rig: ImportRig, taskId: string, state: string) {
  rig.around = async (call, run) => {
    if (call.state === state && call.attempt === 1) await cancelImport(rig.deps, OWNER, taskId);
    return run();
  };
  await rig.run(taskId);
  rig.around = undefined;
}

const staging = (rig: ImportRig) => [...rig.staging.objects.keys()];

describe('a cancelled import', () => {
  test('of staged bytes leaves the image queued with its stage, blames no store, and says so', async () => {
    const { rig, image, taskId } = await stagedImport();

    const { task } = await cancelImport(rig.deps, OWNER, taskId);

    expect(task).toMatchObject({
      status: 'failure',
      message: 'The import was cancelled',
      cancelledAt: expect.any(String),
    });
    expect(await rig.image(image.id)).toMatchObject({
      ...{ status: 'queued', lock: null, importingTo: [], failedImport: [], locations: [] },
      staged: { writeId: 'stage', size: BYTES.length, kept: { taskId } },
    });
    expect(staging(rig)).toEqual([`staged/${image.id}/stage/data`]);
  });

  test('is cancelled as often as somebody asks', async () => {
    const { rig, image, taskId } = await stagedImport();
    const { task } = await cancelImport(rig.deps, OWNER, taskId);
    rig.deps.time.nowMs += 60_000;

    const again = await cancelImport(rig.deps, OWNER, taskId);

    expect(again.task.cancelledAt).toBe(task.cancelledAt);
    expect((await rig.image(image.id)).staged).toMatchObject({ kept: { taskId } });
  });

  test.each(['success', 'failure'])('that has ended as %s is not one any more', async (status) => {
    const { rig, taskId, image } = await stagedImport();
    if (status === 'failure') await rig.deps.images.change(image.id, { set: { diskFormat: 'qcow2' } });
    await rig.run(taskId);

    await expect(cancelImport(rig.deps, OWNER, taskId)).rejects.toMatchObject({
      kind: 'Conflict',
      message: `Import ${taskId} has ended already: ${status}`,
    });
  });

  test('stops its execution', async () => {
    const { rig, taskId } = await stagedImport();
    rig.deps.executions.set(taskId, 'RUNNING');

    await cancelImport(rig.deps, OWNER, taskId);

    expect(await rig.deps.workflows.statusOf(taskId)).toBe('ABORTED');
  });

  test('shows how far it was', async () => {
    const { rig, taskId } = await stagedImport();
    await rig.deps.tasks.move(taskId, ['pending'], { status: 'processing' });
    await rig.deps.tasks.note(taskId, { work: { hash: 100 } });
    const batch = { taskId, phase: 'hash', batch: 0, bytesDone: 43, bytesTotal: 100, startedAtMs: 1, atMs: 2 };
    await rig.deps.tasks.putBatch(batch);

    const { progress } = await cancelImport(rig.deps, OWNER, taskId);

    expect(progress).toMatchObject({ phase: 'hash', percent: 43, bytesDone: 43, bytesTotal: 100 });
  });

  test('of a copy leaves the image active with the copies it has, and names the others', async () => {
    const rig = importRig();
    const image = anImage({
      ...{ owner: 'demo', diskFormat: 'raw', containerFormat: 'bare', status: 'active', size: 1 },
      locations: [aLocation('central')],
    });
    await rig.deps.images.create(image);
    const copy = { name: 'copy-image' };
    const asked = { method: copy, body: { method: copy }, stores: ['edge', 'abroad'] };
    const { id = '' } = (await requestImport(rig.deps, ADMIN, image.id, asked)) ?? {};

    await cancelImport(rig.deps, OWNER, id);

    expect(await rig.image(image.id)).toMatchObject({
      ...{ status: 'active', lock: null, staged: null, importingTo: [], failedImport: ['abroad', 'edge'] },
    });
    await expect(retryImport(rig.deps, OWNER, id)).rejects.toMatchObject({ kind: 'Forbidden' });
    const again = await retryImport(rig.deps, ADMIN, id);
    expect(again.import).toMatchObject({ method: copy, stores: ['edge', 'abroad'] });
  });

  test('is seen by who sees the image alone', async () => {
    const { rig, taskId } = await stagedImport();
    const stranger = callerWith({ projectId: 'other' });
    const reader = callerWith({ projectId: 'demo', roles: ['reader'] });

    const absent = { kind: 'NotFound', message: `No import found with ID ${taskId}` };
    await expect(cancelImport(rig.deps, stranger, taskId)).rejects.toMatchObject(absent);
    await expect(cancelImport(rig.deps, OWNER, 'none')).rejects.toMatchObject({ kind: 'NotFound' });
    await expect(cancelImport(rig.deps, reader, taskId)).rejects.toMatchObject({ kind: 'Forbidden' });
    expect((await rig.deps.tasks.get(taskId))?.status).toBe('pending');
  });
});

describe('its stage', () => {
  test('counts as staged until it goes', async () => {
    const { rig, taskId } = await stagedImport(LIMITS);

    await cancelImport(rig.deps, OWNER, taskId);

    expect(await rig.deps.imageList.usageOf('demo')).toMatchObject({ stagedBytes: BYTES.length, uploading: 0 });
  });

  test('goes after an hour', async () => {
    const { rig, image, taskId } = await stagedImport();
    await cancelImport(rig.deps, OWNER, taskId);

    rig.deps.time.nowMs += HOUR_MS - 1000;
    await janitor(rig.deps);
    expect(staging(rig)).toHaveLength(1);
    rig.deps.time.nowMs += 1000;
    await janitor(rig.deps);

    expect(staging(rig)).toEqual([]);
    expect(await rig.image(image.id)).toMatchObject({ status: 'queued', staged: null });
    await expect(retryImport(rig.deps, OWNER, taskId)).rejects.toMatchObject({ kind: 'Conflict' });
  });

  test('is for no import but its retry', async () => {
    const { rig, image, taskId } = await stagedImport();
    await cancelImport(rig.deps, OWNER, taskId);

    await expect(begun(rig, image, { name: 'glance-direct' })).rejects.toMatchObject({ kind: 'Conflict' });
  });

  test.each(['file', 'stage'] as const)('goes when other bytes come as %s', async (kind) => {
    const { rig, image, taskId } = await stagedImport();
    await cancelImport(rig.deps, OWNER, taskId);

    await beginUpload(rig.deps, OWNER, { kind, imageId: image.id, store: undefined, declaredSize: 1 });
    await janitor(rig.deps);

    expect((await rig.image(image.id)).staged).toBeNull();
    expect(staging(rig)).toEqual([]);
  });

  test('goes when a download takes its place, and with its image', async () => {
    const replaced = await stagedImport();
    await cancelImport(replaced.rig.deps, OWNER, replaced.taskId);
    await begun(replaced.rig, replaced.image, WEB);
    await janitor(replaced.rig.deps);
    expect(staging(replaced.rig)).toEqual([]);

    const deleted = await stagedImport();
    await cancelImport(deleted.rig.deps, OWNER, deleted.taskId);
    await deleteImage(deleted.rig.deps, OWNER, deleted.image.id);
    expect(staging(deleted.rig)).toEqual([]);
  });
});

describe('a retry', () => {
  test.each(['Begin', 'Fetch', 'Inspect', 'Hash', 'CopyToStore', 'Finish'])(
    'of an import cancelled at %s imports what was staged',
    async (state) => {
      const { rig, image, taskId } = await stagedImport();
      await cancelledAt(rig, taskId, state);

      const again = await retryImport(rig.deps, OWNER, taskId);
      expect(again).toMatchObject({ status: 'pending', imageId: image.id, facts: {} });
      expect(again.input).toEqual((await rig.deps.tasks.get(taskId))?.input);
      await rig.run(again.id);

      const active = await rig.image(image.id);
      expect(active).toMatchObject({ status: 'active', staged: null, lock: null, failedImport: [] });
      const [copy] = active.locations;
      expect(copy && (await rig.read(active, copy))).toEqual(BYTES);
      expect(staging(rig)).toEqual([]);
    },
  );

  test('may be cancelled and tried again itself', async () => {
    const { rig, image, taskId } = await stagedImport();
    await cancelImport(rig.deps, OWNER, taskId);
    const second = await retryImport(rig.deps, OWNER, taskId);
    await cancelImport(rig.deps, OWNER, second.id);

    await expect(retryImport(rig.deps, OWNER, taskId)).rejects.toMatchObject({ kind: 'Conflict' });
    rig.deps.time.nowMs += HOUR_MS - 60_000;
    const third = await retryImport(rig.deps, OWNER, second.id);
    rig.deps.time.nowMs += HOUR_MS;
    await janitor(rig.deps);
    await rig.run(third.id);

    expect(await rig.image(image.id)).toMatchObject({ status: 'active' });
  });

  test('of a download asks for the whole URL again, which is kept for the hour', async () => {
    const uri = `${WEB.uri}?signature=secret`;
    const { rig, image, taskId } = await queuedImport(uri);
    await cancelledAt(rig, taskId, 'Inspect');
    expect(staging(rig)).toEqual([]);
    const second = await retryImport(rig.deps, OWNER, taskId);
    await cancelledAt(rig, second.id, 'Fetch');
    rig.deps.time.nowMs += HOUR_MS - 60_000;

    const third = await retryImport(rig.deps, OWNER, second.id);
    expect(JSON.stringify(third)).not.toContain('secret');
    await rig.run(third.id);

    expect(await rig.image(image.id)).toMatchObject({ status: 'active', size: BYTES.length });
    expect(await rig.deps.sourceSecretReads.of(taskId)).toBeUndefined();
  });

  test('of an image of another region is refused with what to do, and that import is taken', async () => {
    const id = '20000000-0000-4000-8000-000000000002';
    const rig = importRig({
      enabled_import_methods: ['glance-download'],
      identity: { peer_regions: [{ region: 'RegionTwo', image_url: 'https://two.example.org' }] },
    });
    const described = { status: 'active', size: BYTES.length, disk_format: 'raw', container_format: 'bare' };
    rig.web.set(`https://two.example.org/v2/images/${id}`, { body: Buffer.from(JSON.stringify(described)) });
    rig.web.set(`https://two.example.org/v2/images/${id}/file`, { body: BYTES });
    const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', owner: 'demo' });
    await rig.deps.images.create(image);
    const method = { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: id };
    const asked = () =>
      requestImport(rig.deps, OWNER, image.id, { method, body: { method }, token: 'a-token' }).then(
        (task) => task?.id ?? '',
      );
    const taskId = await asked();
    await cancelledAt(rig, taskId, 'CopyToStore');

    await expect(retryImport(rig.deps, OWNER, taskId)).rejects.toMatchObject({
      kind: 'Conflict',
      message: `Import ${taskId} cannot be tried again: the token for the other region was removed when it ended. Import the image again by glance-download`,
    });
    const shown = importView({ task: await importTask(rig.deps, taskId) });
    expect(shown).toHaveProperty('cancelled_at');
    expect(shown).not.toHaveProperty('retry_until');

    await rig.run(await asked());
    expect(await rig.image(image.id)).toMatchObject({ status: 'active', size: BYTES.length });
    expect([...rig.deps.sourceSecrets.kept]).toEqual([]);
  });

  test('that nobody asks for leaves no URL behind', async () => {
    const { rig, taskId } = await queuedImport(`${WEB.uri}?signature=secret`);
    await cancelImport(rig.deps, OWNER, taskId);
    expect(await rig.deps.sourceSecretReads.of(taskId)).toContain('secret');

    rig.deps.time.nowMs += HOUR_MS;
    await janitor(rig.deps);

    expect(await rig.deps.sourceSecretReads.of(taskId)).toBeUndefined();
  });

  test('is of cancelled imports only, and once at a time', async () => {
    const { rig, taskId } = await queuedImport();
    await expect(retryImport(rig.deps, OWNER, taskId)).rejects.toMatchObject({
      kind: 'Conflict',
      message: `Import ${taskId} was not cancelled, it is pending`,
    });
    await cancelImport(rig.deps, OWNER, taskId);
    await retryImport(rig.deps, OWNER, taskId);

    await expect(retryImport(rig.deps, OWNER, taskId)).rejects.toMatchObject({ kind: 'Conflict' });
  });
});
