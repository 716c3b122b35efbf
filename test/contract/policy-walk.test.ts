/**
 * Every operation of the image API, asked by every role, on an image of project demo that only its project sees and on a public
 * one. The expected answers are the contract's (policy.md sections 2 and 3) with the default policy. The compiler asks for a row
 * per route. The catalog's routes have a walk of their own (metadefs-policy.test.ts).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GroupOperations, ROUTES } from '../../api/routes.ts';
import { crc32Header } from '../../bytes/crc32.ts';
import { stagedPrefix } from '../../bytes/keys.ts';
import type { Image } from '../../core/images/image.ts';
import type { Task } from '../../core/tasks/task.ts';
import type { UploadSession } from '../../core/uploads/session.ts';
import { createGateway } from '../../gateway/server.ts';
import { aLocation, anImage } from '../support/images.ts';
import { BY_NAME, type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';
import { startPlaces } from '../support/s3-places.ts';

const ROLES = ['admin', 'member', 'reader', 'other', 'service', 'nobody', 'unscoped'] as const;
type Role = (typeof ROLES)[number];
const TOKENS: Readonly<Record<Role, CallerName | undefined>> = {
  admin: 'admin',
  member: 'demo',
  reader: 'reader',
  other: 'alt',
  service: 'service',
  nobody: undefined,
  unscoped: 'unscoped',
};

/** Statuses in the order of ROLES. */
type Answers = readonly [number, number, number, number, number, number, number];
interface Row {
  /** On an image that only project demo sees, or on no image at all. */
  readonly own: Answers;
  /** On a public image of project demo. */
  readonly open?: Answers;
  /** Where `enforce_new_defaults: false` answers otherwise: roles do not matter then, owners do. */
  readonly before?: { readonly own?: Answers; readonly open?: Answers };
  /** What the image is like. */
  readonly image?: Partial<Image>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Before the call. */
  readonly given?: (api: TestApi, image: Image) => Promise<unknown>;
}

const forAll = (status: number): Row => ({ own: [status, status, status, status, status, 401, status] });
/** A change of an image: for admins and members of its project. */
const change = (status: number, row: Partial<Row> = {}): Row => ({
  own: [status, status, 403, 404, 404, 401, 404],
  open: [status, status, 403, 403, 403, 401, 404],
  before: { own: [status, status, status, 404, 404, 401, 404], open: [status, status, status, 403, 403, 401, 403] },
  ...row,
});
/** Reading an image: for all who see it. */
const reading = (status: number, row: Partial<Row> = {}): Row => ({
  own: [status, status, status, 404, 404, 401, 404],
  open: [status, status, status, status, status, 401, 404],
  before: { open: [status, status, status, status, status, 401, status] },
  ...row,
});
const adminOnly = (status: number, row: Partial<Row> = {}): Row => ({
  own: [status, 403, 403, 403, 403, 401, 403],
  ...row,
});

const OCTETS = { 'content-type': 'application/octet-stream' };
const STORED = { status: 'active', size: 1, locations: [aLocation('central'), aLocation('dcn0')] } as const;
const withMember = (api: TestApi, { id }: Image) =>
  api.call('POST', `/v2/images/${id}/members`, { as: 'admin', body: { member: 'third' } });
const TASK_ID = '00000000-0000-4000-8000-00000000000a';
const aTask: Task = {
  id: TASK_ID,
  type: 'api_image_import',
  status: 'success',
  imageId: null,
  owner: 'demo',
  userId: null,
  requestId: null,
  input: {},
  result: null,
  message: '',
  facts: {},
  createdAt: '2026-05-05T00:00:00.000Z',
  updatedAt: '2026-05-05T00:00:00.000Z',
  expiresAt: null,
};

/** An import of the image, under the image's id. */
const withImport =
  (attributes: Partial<Task> = {}) =>
  async ({ deps }: TestApi, { id }: Image) => {
    const method = { name: 'web-download', uri: 'http://example.org/x' } as const;
    const work = { method, stores: ['central'], allStoresMustSucceed: true, roles: [] };
    await deps.tasks.create({ ...aTask, id, imageId: id, status: 'processing', import: work, ...attributes });
    if (attributes.status === undefined) await deps.images.change(id, { set: { lock: id } });
  };
/** For admins and members of the image's project, in both modes. */
const onImport = (status: number, row: Partial<Row> = {}): Row => ({
  own: [status, status, 403, 404, 404, 401, 404],
  open: [status, status, 403, 403, 403, 401, 404],
  before: { open: [status, status, 403, 403, 403, 401, 403] },
  ...row,
});

const UPLOAD_BYTES = 1000;
const SESSION_ID = '00000000-0000-4000-8000-00000000000b';
/** An open upload session of the image, of its project, with all of its bytes there. */
const withUpload = async ({ deps, bucket }: TestApi, { id }: Image) => {
  const session: Omit<UploadSession, 'multipartId'> = {
    ...{ id: SESSION_ID, imageId: id, projectId: 'demo', state: 'open', size: UPLOAD_BYTES, partSize: 5 * 1024 * 1024 },
    createdAt: '2026-05-05T00:00:00.000Z',
    expiresAtMs: deps.clock.now() + 3_600_000,
  };
  const prefix = stagedPrefix(id, SESSION_ID);
  const multipartId = await deps.direct.beginParts(prefix);
  const part = { number: 1, size: UPLOAD_BYTES, crc32: crc32Header(crc32(Buffer.alloc(UPLOAD_BYTES))) };
  bucket('staging').receive(await deps.direct.signPart({ prefix, multipartId }, part, 60), Buffer.alloc(UPLOAD_BYTES));
  await deps.uploadSessions.create({ ...session, multipartId });
  await deps.images.change(id, {
    expect: { status: ['queued'] },
    set: { status: 'uploading', lock: SESSION_ID, size: UPLOAD_BYTES },
  });
};
/** Of a session that was begun: for admins and members of its project. */
const onUpload = (status: number, row: Partial<Row> = {}): Row => change(status, { given: withUpload, ...row });
const withPlainCopy = async ({ bucket }: TestApi, { id }: Image) => {
  await bucket('central').putObject(`images/${id}/write-1/data`, Buffer.from('x'));
};

const TABLE: Readonly<Record<GroupOperations<'images' | 'gateway'>, Row>> = {
  createImage: {
    own: [201, 201, 403, 201, 201, 401, 403],
    before: { own: [201, 201, 201, 201, 201, 401, 201] },
    body: {},
  },
  listImages: { own: [200, 200, 200, 200, 200, 401, 403], before: { own: [200, 200, 200, 200, 200, 401, 200] } },
  showImage: reading(200),
  patchImage: change(200, {
    body: [{ op: 'replace', path: '/name', value: 'new' }],
    headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' },
  }),
  deleteImage: change(204),
  deactivateImage: change(204, { image: STORED }),
  reactivateImage: change(204, { image: { ...STORED, status: 'deactivated' } }),
  downloadImage: {
    own: [204, 204, 403, 404, 404, 401, 404],
    open: [204, 204, 403, 204, 204, 401, 404],
    before: { own: [204, 204, 204, 404, 404, 401, 404], open: [204, 204, 204, 204, 204, 401, 204] },
  },
  uploadImage: change(204, { body: 'x', headers: OCTETS }),
  stageImage: change(204, { body: 'x', headers: OCTETS }),
  importImage: change(202, { body: { method: { name: 'web-download', uri: 'http://example.org/x' } } }),
  listImageTasks: reading(200),
  listLocations: {
    own: [200, 403, 403, 404, 404, 401, 404],
    open: [200, 403, 403, 403, 200, 401, 404],
    before: { open: [200, 403, 403, 403, 200, 401, 403] },
  },
  addLocation: {
    own: [403, 403, 403, 404, 404, 401, 404],
    open: [403, 403, 403, 403, 202, 401, 404],
    before: { open: [403, 403, 403, 403, 202, 401, 403] },
    body: { url: 's3://central-bucket/x' },
  },
  addTag: change(204),
  deleteTag: change(204, { image: { tags: ['x'] } }),
  listMembers: { own: [200, 200, 200, 404, 404, 401, 404] },
  addMember: {
    own: [200, 200, 403, 404, 404, 401, 404],
    open: [403, 403, 403, 403, 403, 401, 404],
    before: { own: [200, 200, 200, 404, 404, 401, 404], open: [403, 403, 403, 403, 403, 401, 403] },
    body: { member: 'third' },
  },
  showMember: { own: [200, 200, 200, 404, 404, 401, 404], given: withMember },
  updateMember: { own: [200, 403, 403, 404, 404, 401, 404], given: withMember, body: { status: 'accepted' } },
  deleteMember: {
    own: [204, 204, 403, 404, 404, 401, 404],
    before: { own: [204, 204, 204, 404, 404, 401, 404] },
    given: withMember,
  },
  deleteStoreCopy: {
    own: [204, 403, 403, 404, 404, 401, 404],
    open: [204, 403, 403, 403, 403, 401, 404],
    before: { own: [204, 204, 204, 404, 404, 401, 404], open: [204, 204, 204, 403, 403, 401, 403] },
    image: STORED,
  },
  showImportInfo: forAll(200),
  showStoresInfo: forAll(200),
  showStoresDetail: { own: [200, 403, 403, 403, 200, 401, 403] },
  showUsage: forAll(200),
  createTask: adminOnly(201, {
    body: {
      type: 'import',
      input: { import_from: 'http://example.org/x', import_from_format: 'raw', image_properties: { name: 'x' } },
    },
  }),
  listTasks: adminOnly(200),
  showTask: adminOnly(200),
  deleteTask: adminOnly(405),
  listImports: { own: [200, 200, 200, 200, 200, 401, 403] },
  showImport: { own: [200, 200, 200, 404, 404, 401, 404], given: withImport() },
  listLeftovers: { own: [200, 403, 403, 403, 403, 401, 403] },
  cancelImport: onImport(200, { given: withImport() }),
  retryImport: onImport(202, {
    given: (api, image) =>
      withImport({ status: 'failure', cancelledAt: new Date(api.deps.clock.now()).toISOString() })(api, image),
  }),
  createUpload: change(201, { body: { size: UPLOAD_BYTES } }),
  listUploads: onUpload(200),
  showUpload: onUpload(200),
  signParts: onUpload(200, { body: { parts: [{ number: 1, size: UPLOAD_BYTES, crc32: 'AAAAAA==' }] } }),
  completeUpload: onUpload(200),
  abortUpload: onUpload(204),
  createLink: {
    own: [200, 200, 403, 404, 404, 401, 404],
    open: [200, 200, 403, 200, 200, 401, 404],
    before: { own: [200, 200, 200, 404, 404, 401, 404], open: [200, 200, 200, 200, 200, 401, 200] },
    image: STORED,
    given: withPlainCopy,
  },
  showImageSchema: forAll(200),
  showImagesSchema: forAll(200),
  showMemberSchema: forAll(200),
  showMembersSchema: forAll(200),
  showTaskSchema: forAll(200),
  showTasksSchema: forAll(200),
};

interface House {
  readonly api: TestApi;
  readonly gateway: { readonly url: string; close(): Promise<void> };
}

const houses = new Map<boolean, House>();
const inMode = (newDefaults: boolean): House => houses.get(newDefaults) as House;

beforeAll(async () => {
  for (const newDefaults of [true, false]) {
    const api = await startImagesApi({ enforce_new_defaults: newDefaults, show_multiple_locations: true });
    await api.deps.tasks.create(aTask);
    houses.set(newDefaults, { api, gateway: await startGateway(api) });
  }
});
afterAll(async () => {
  for (const { api, gateway } of houses.values()) {
    await gateway.close();
    await api.close();
  }
});

/** The gateway over the same records, as the callers that the API knows. */
async function startGateway({ deps }: TestApi) {
  const s3 = await startPlaces(deps.config);
  const server = createServer(createGateway({ ...deps, places: s3.places, authenticator: BY_NAME }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await s3.close();
    },
  };
}

async function ask(
  { api, gateway }: House,
  operation: keyof typeof TABLE,
  as: CallerName | undefined,
  visibility: Image['visibility'],
) {
  const row = TABLE[operation];
  const { group, method, path } = ROUTES[operation];
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', visibility, ...row.image });
  await api.deps.images.create(image);
  await row.given?.(api, image);
  const id = path.startsWith('/v2/tasks') ? TASK_ID : image.id;
  const to = path
    .replace('{id}', id)
    .replace('{tag}', 'x')
    .replace('{member}', 'third')
    .replace('{store}', 'dcn0')
    .replace('{task}', image.id)
    .replace('{upload}', SESSION_ID);
  if (group === 'images') {
    const { body, headers = {} } = row;
    return (await api.call(method, to, { as, body, headers })).status;
  }
  const answer = await fetch(gateway.url + to, {
    method,
    headers: { ...row.headers, ...(as === undefined ? {} : { 'x-auth-token': as }) },
    ...(row.body === undefined ? {} : { body: String(row.body) }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

const CASES = [true, false].flatMap((newDefaults) =>
  (Object.entries(TABLE) as [keyof typeof TABLE, Row][]).flatMap(([operation, { own, open, before }]) => [
    { newDefaults, operation, visibility: 'shared' as const, answers: (!newDefaults && before?.own) || own },
    ...(open === undefined
      ? []
      : [{ newDefaults, operation, visibility: 'public' as const, answers: (!newDefaults && before?.open) || open }]),
  ]),
);

describe.each(CASES)('$operation on a $visibility image, new defaults $newDefaults', (one) => {
  test('answers each role as the contract says', async () => {
    const got: Record<string, number> = {};
    for (const role of ROLES)
      got[role] = await ask(inMode(one.newDefaults), one.operation, TOKENS[role], one.visibility);

    expect(got).toEqual(Object.fromEntries(ROLES.map((role, at) => [role, one.answers[at]])));
  });
});

test.each([true, false])(
  'callers without a token may read where that is allowed, and write nothing (%s)',
  async (mode) => {
    const writes = (Object.keys(TABLE) as (keyof typeof TABLE)[]).filter((name) => ROUTES[name].method !== 'GET');

    for (const operation of writes)
      expect([operation, await ask(inMode(mode), operation, 'anonymous', 'public')]).toEqual([operation, 403]);
    expect(await ask(inMode(mode), 'showImage', 'anonymous', 'public')).toBe(200);
  },
);

describe('with the old defaults, where rules let anybody pass', () => {
  const JSON_PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
  const given = async (different: Partial<Image> = {}) => {
    const { api } = inMode(false);
    const image = anImage({
      diskFormat: 'raw',
      containerFormat: 'bare',
      ...STORED,
      visibility: 'shared',
      ...different,
    });
    await api.deps.images.create(image);
    return { image, call: api.call };
  };

  test.each([
    { op: 'remove', path: '/locations/0' },
    { op: 'replace', path: '/locations', value: [] },
    { op: 'add', path: '/locations/-', value: { url: 's3://central-bucket/x', metadata: {} } },
  ])('strangers do not change the locations of a public image: $op', async (change) => {
    const { image, call } = await given({ visibility: 'public' });
    const to = `/v2/images/${image.id}`;

    expect(await call('PATCH', to, { as: 'alt', headers: JSON_PATCH, body: [change] })).toMatchObject({ status: 403 });
    expect(await call('PATCH', to, { as: 'unscoped', headers: JSON_PATCH, body: [change] })).toMatchObject({
      status: 403,
    });
    expect((await inMode(false).api.deps.images.get(image.id))?.locations).toHaveLength(2);
  });

  test('a member of an image answers for itself, and for nobody and nothing else', async () => {
    const { image, call } = await given();
    const to = `/v2/images/${image.id}`;
    for (const member of ['third', 'alt']) await call('POST', `${to}/members`, { as: 'demo', body: { member } });
    const statusOf = async (method: string, path: string, body?: unknown) =>
      (await call(method, path, { as: 'third', body })).status;

    expect(await statusOf('PUT', `${to}/members/alt`, { status: 'accepted' })).toBe(404);
    expect(await statusOf('DELETE', `${to}/members/alt`)).toBe(403);
    expect(await statusOf('DELETE', `${to}/members/third`)).toBe(403);
    expect(await statusOf('POST', `${to}/members`, { member: 'fourth' })).toBe(403);
    expect(await statusOf('DELETE', `/v2/stores/dcn0/${image.id}`)).toBe(403);
    expect(await statusOf('POST', `${to}/actions/deactivate`)).toBe(403);
    expect(await statusOf('PUT', `${to}/members/third`, { status: 'accepted' })).toBe(200);
  });

  test('an image without an owner belongs to nobody, not to tokens without a project', async () => {
    const { image, call } = await given({ owner: null });
    const to = `/v2/images/${image.id}`;
    await call('POST', `${to}/members`, { as: 'admin', body: { member: 'third' } });
    const statusOf = async (as: CallerName, method: string, path: string, body?: unknown) =>
      (await call(method, path, { as, body })).status;

    for (const as of ['unscoped', 'demo'] as const) {
      expect(await statusOf(as, 'DELETE', to)).toBe(403);
      expect(await statusOf(as, 'DELETE', `/v2/stores/dcn0/${image.id}`)).toBe(403);
      expect(await statusOf(as, 'POST', `${to}/members`, { member: 'fourth' })).toBe(403);
      expect(await statusOf(as, 'PUT', `${to}/members/third`, { status: 'accepted' })).toBe(403);
      expect((await call('GET', `${to}/members`, { as })).body).toMatchObject({ members: [] });
    }
  });
});
