/**
 * No password, token, signature or credential that comes in with an import is seen where people or other functions look: tasks, images,
 * messages, logs, duties, and the input and history of the state machine. Secrets are planted everywhere, then looked for everywhere.
 */
import { describe, expect, test } from 'vitest';
import { imageTaskView, taskView } from '../../../../api/tasks/view.ts';
import { patchImage } from '../../../../core/images/patch.ts';
import { addLocation } from '../../../../core/imports/add-location.ts';
import { createTask } from '../../../../core/imports/create-task.ts';
import { requestImport } from '../../../../core/imports/import.ts';
import { janitor } from '../../../../core/janitor/janitor.ts';
import { withoutSecrets } from '../../../../core/shown-url.ts';
import { callerWith } from '../../../support/caller.ts';
import { anImage } from '../../../support/images.ts';
import { expectImported } from '../../../support/memory/import-ends.ts';
import { type ImportRig, importRig } from '../../../support/memory/imports.ts';
import { rawDisk } from '../../../support/raw-disk.ts';

const PLANTED = 'PLANTED';
const HIDDEN = `${PLANTED}-hidden`;
const URL_WITH_SECRETS = `https://${PLANTED}-user:${PLANTED}-password@images.example.org/disk?X-Amz-Signature=${PLANTED}-query#${PLANTED}-fragment`;
const SHOWN = 'https://images.example.org/disk';
const OWNER = callerWith({ projectId: 'demo' });
const ADMIN = callerWith({ projectId: 'demo', roles: ['admin'], isAdmin: true });
const SERVICE = callerWith({ projectId: 'demo', roles: ['member', 'service'] });
const RAW = rawDisk(1024 * 1024);

function rig(): ImportRig {
  return importRig({
    show_multiple_locations: true,
    identity: { password: HIDDEN },
    stores: [
      { id: 'central', bucket: 'central', default: true },
      { id: 'edge', bucket: 'edge', sparse: false },
      { id: 'abroad', bucket: 'abroad', endpoint: 'https://objects.example.org', credentials_secret: HIDDEN },
    ],
  });
}

/** Everything that is kept or said anywhere, but for the one record that the fetch reads. */
async function everything({ deps }: ImportRig, said: readonly unknown[]): Promise<string> {
  const tasks = await deps.tasks.list({});
  const images = await Promise.all(tasks.map(({ imageId }) => deps.images.get(imageId ?? '')));
  const batches = await Promise.all(tasks.map(({ id }) => deps.tasks.batches(id)));
  const views = tasks.flatMap((task) => [taskView(task), imageTaskView({ task } as never)]);
  const duties = await deps.duties.due(Number.MAX_SAFE_INTEGER, 1000);
  return JSON.stringify(
    [tasks, images, batches, views, duties, deps.logged, deps.started, said],
    (_, value: unknown) => (value instanceof Error ? [value.message, value.stack, value.cause] : value),
  );
}

const leaks = (text: string): string[] => text.match(new RegExp(`.{0,60}${PLANTED}.{0,40}`, 'g')) ?? [];

async function webDownload(imports: ImportRig, uri = URL_WITH_SECRETS) {
  const image = anImage({ owner: 'demo', diskFormat: 'raw', containerFormat: 'bare' });
  await imports.deps.images.create(image);
  const method = { name: 'web-download', uri };
  const task = await requestImport(imports.deps, OWNER, image.id, { method, body: { method } });
  return { imageId: image.id, taskId: task?.id ?? '' };
}

const legacyTask = (imports: ImportRig, input: Record<string, unknown>) =>
  createTask(imports.deps, ADMIN, {
    input: { import_from: URL_WITH_SECRETS, ...input },
    importFrom: URL_WITH_SECRETS,
    format: input['import_from_format'] as string | undefined,
    image: { properties: {}, computed: [] },
  });

describe('an import by a URL with secrets', () => {
  test('gets its bytes by the whole URL, shows the rest, and leaves nothing', async () => {
    const imports = rig();
    imports.web.set(URL_WITH_SECRETS, { body: RAW });
    const { imageId, taskId } = await webDownload(imports);
    expect(imports.deps.sourceSecrets.kept.get(taskId)).toBe(URL_WITH_SECRETS);
    expect(leaks(await everything(imports, []))).toEqual([]);

    const ended = await imports.run(taskId);

    await expectImported(imports, imageId, RAW);
    expect(JSON.stringify((await imports.deps.tasks.get(taskId))?.input)).toContain(`"${SHOWN}"`);
    expect([...imports.deps.sourceSecrets.kept]).toEqual([]);
    expect(leaks(await everything(imports, [ended]))).toEqual([]);
  });

  test('that fails says so without them, and leaves nothing', async () => {
    const imports = rig();
    const { taskId } = await webDownload(imports);

    const ended = await imports.run(taskId);

    expect(await imports.deps.tasks.get(taskId)).toMatchObject({
      status: 'failure',
      message: expect.stringContaining(`${SHOWN} answered 404`),
    });
    expect([...imports.deps.sourceSecrets.kept]).toEqual([]);
    expect(leaks(await everything(imports, [ended]))).toEqual([]);
  });

  test('that the janitor ends leaves nothing either', async () => {
    const imports = rig();
    const { taskId } = await webDownload(imports);
    imports.deps.time.nowMs += 3_600_000;
    (imports.deps as unknown as { executions: Map<string, string> }).executions.set(taskId, 'FAILED');

    await janitor(imports.deps);

    expect((await imports.deps.tasks.get(taskId))?.status).toBe('failure');
    expect([...imports.deps.sourceSecrets.kept]).toEqual([]);
  });

  test('without secrets keeps its URL as it was written, and nothing apart', async () => {
    const imports = rig();
    const { taskId } = await webDownload(imports, 'https://images.example.org');

    expect((await imports.deps.tasks.get(taskId))?.import?.method).toEqual({
      name: 'web-download',
      uri: 'https://images.example.org',
    });
    expect([...imports.deps.sourceSecrets.kept]).toEqual([]);
  });

  test('by a task of the old API, taken or refused', async () => {
    const imports = rig();
    imports.web.set(URL_WITH_SECRETS, { body: RAW });
    const taken = await legacyTask(imports, { import_from_format: 'raw', extra: [`see ${SHOWN}`, URL_WITH_SECRETS] });
    const refused = await legacyTask(imports, {});

    const ended = await imports.run(taken.id);

    expect(ended.status).toBe('SUCCEEDED');
    expect(refused.status).toBe('failure');
    expect(leaks(await everything(imports, [ended, taken, refused]))).toEqual([]);
  });

  test('that is refused at once says so without them', async () => {
    const imports = rig();
    const said = await Promise.all(
      [URL_WITH_SECRETS.replace('https', 'gopher'), URL_WITH_SECRETS.replace('images.example.org', '10.0.0.1')].map(
        (uri) => webDownload(imports, uri).catch((error: unknown) => error),
      ),
    );
    const image = anImage({ owner: 'demo', diskFormat: 'raw', containerFormat: 'bare' });
    await imports.deps.images.create(image);
    const url = `s3://${PLANTED}-key:${PLANTED}-secret@central/none`;
    said.push(await addLocation(imports.deps, SERVICE, image.id, { url }).catch((error: unknown) => error));
    const change = { kind: 'locations', op: 'add', strict: true, name: 'locations', at: 'end' } as const;
    const patch = patchImage(imports.deps, OWNER, image.id, [{ ...change, values: [{ url, metadata: {} }] }]);
    said.push(await patch.catch((error: unknown) => error));

    expect(said.map((error) => (error as { kind?: string }).kind)).toEqual(Array(4).fill('InvalidInput'));
    expect(leaks(await everything(imports, said))).toEqual([]);
  });
});

describe('an import with a token', () => {
  const method = {
    ...{ name: 'glance-download', glance_region: 'RegionTwo' },
    glance_image_id: '20000000-0000-4000-8000-000000000002',
  };

  test.each([
    ['ends well', 200],
    ['fails', 404],
  ])('that %s shows it nowhere, and leaves nothing', async (_, status) => {
    const imports = importRig({
      enabled_import_methods: ['glance-download'],
      identity: { peer_regions: [{ region: 'RegionTwo', image_url: 'https://two.example.org' }] },
    });
    const url = `https://two.example.org/v2/images/${method.glance_image_id}`;
    const formats = { disk_format: 'raw', container_format: 'bare' };
    const remote = { status: 'active', size: RAW.length, ...formats };
    imports.web.set(url, { body: Buffer.from(JSON.stringify(remote)) });
    if (status === 200) imports.web.set(`${url}/file`, { body: RAW });
    const image = anImage({ owner: 'demo', diskFormat: 'raw', containerFormat: 'bare' });
    await imports.deps.images.create(image);
    const token = `${PLANTED}-token`;
    const task = await requestImport(imports.deps, OWNER, image.id, { method, body: { method }, token });
    expect(imports.deps.sourceSecrets.kept.get(task?.id ?? '')).toBe(token);
    expect(leaks(await everything(imports, []))).toEqual([]);

    const ended = await imports.run(task?.id ?? '');

    expect(ended.status).toBe(status === 200 ? 'SUCCEEDED' : 'FAILED');
    expect([...imports.deps.sourceSecrets.kept]).toEqual([]);
    expect(leaks(await everything(imports, [ended]))).toEqual([]);
  });
});

test.each([
  ['https://example.org', 'https://example.org'],
  ['no URL at all?really', 'no URL at all?really'],
  ['https://u:p@example.org/x', 'https://example.org/x'],
  ['HTTPS://u@example.org/x?a=b', 'https://example.org/x'],
  [' https://u:p@example.org/x', 'https://example.org/x'],
  ['https://u:p@[broken/x', '(no URL)'],
])('%j is shown as %j', (text, shown) => {
  expect(withoutSecrets({ a: [text] })).toEqual({ a: [shown] });
});
