/**
 * Bad input over HTTP, each with its exact status and a sentence that the clients can show: they ask with any `Accept` and strip
 * the tags of what comes back (contract: README "Error bodies").
 */
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Image } from '../../core/images/image.ts';
import { createImagesApi } from '../../functions/api/images/api.ts';
import { httpApi } from '../../local/http-api/http-api.ts';
import { expectSentence, shownOf } from '../support/error-page.ts';
import { aLocation, anImage } from '../support/images.ts';
import { BY_NAME, type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';

const V21 = 'application/openstack-images-v2.1-json-patch';
const V20 = 'application/openstack-images-v2.0-json-patch';
const NO_IMAGE = '00000000-0000-4000-8000-000000000001';

let service: TestApi;
let server: Server;
beforeAll(async () => {
  service = await startImagesApi();
  const listener = httpApi({ handler: createImagesApi(service.deps, { authenticator: BY_NAME }) });
  server = createServer((incoming, response) => void listener(incoming, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await service.close();
});

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** `node:http`, which sends a path as it stands; `fetch` would tidy it. */
function ask(method: string, path: string, body: string | Buffer, headers: Record<string, string>): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers: { accept: '*/*', ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

interface Row {
  readonly method?: string;
  /** `{id}` is an image of project demo. */
  readonly path?: string;
  /** Text and buffers are sent as they are. */
  readonly body?: unknown;
  readonly status?: number;
  readonly says: RegExp;
  readonly headers?: Record<string, string>;
  readonly as?: CallerName;
  readonly image?: Partial<Image>;
}

async function refused(row: Row): Promise<void> {
  const { method = 'POST', path = '/v2/images', body, status = 400, says, headers = {}, as = 'demo' } = row;
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', ...row.image });
  await service.deps.images.create(image);
  const raw = body === undefined ? '' : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const before = await service.deps.images.get(image.id);

  const answer = await ask(method, path.replace('{id}', image.id), raw, { 'x-auth-token': as, ...headers });

  const sentence = shownOf(answer.text);
  expect([answer.status, sentence]).toEqual([status, expect.stringMatching(says)]);
  expect(answer.headers['content-type']).toBe('text/html; charset=UTF-8');
  expectSentence(status, sentence);
  expect(await service.deps.images.get(image.id)).toEqual(before);
}

const patch = (...changes: unknown[]) => ({
  method: 'PATCH',
  path: '/v2/images/{id}',
  headers: { 'content-type': V21 },
  body: changes,
});
const patchOld = (...changes: unknown[]) => ({ ...patch(...changes), headers: { 'content-type': V20 } });
const replace = (path: string, value: unknown) => patch({ op: 'replace', path, value });
const add = (path: string, value: unknown) => patch({ op: 'add', path, value });

describe('bodies', () => {
  test.each<[string, Row]>([
    ['none', { says: /body/i }],
    ['malformed JSON', { body: '{"name": ', says: /JSON|Malformed|body/i }],
    ['a list where an object is due', { body: [], says: /object/i }],
    ['a scalar', { body: '7', says: /object/i }],
    ['null', { body: 'null', says: /object/i }],
    ['bytes that are not UTF-8', { body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), says: /UTF-8|JSON|Malformed/i }],
    ['deep nesting', { body: `{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, says: /x|nest|deep|JSON/i }],
    ['a body where none is expected', { path: '/v2/images/{id}/actions/deactivate', body: '{}', says: /not expected/ }],
  ])('%s', (_, row) => refused(row));

  test('above 10 MiB end at the HTTP API, in the nested form that glanceclient reads', async () => {
    const body = `{"name":"${'x'.repeat(10 * 1024 * 1024)}"}`;

    const answer = await ask('POST', '/v2/images', body, { 'x-auth-token': 'demo' });

    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 413, message: expect.stringMatching(/larger/) } });
  });
});

describe('values of a new image', () => {
  test.each<[string, unknown, RegExp, number?]>([
    ['a name that is a number', { name: 7 }, /name/],
    ['a long name', { name: 'x'.repeat(256) }, /255/],
    ['a name outside the BMP', { name: '😀' }, /character|unicode|name/i],
    ['a name with NUL', { name: 'a\u0000b' }, /NUL|character|name/i],
    ['half of a surrogate pair', { name: 'a\ud83d' }, /character|unicode|name/i],
    ['tags that are no list', { tags: 'a' }, /tags/],
    ['a tag that is no text', { tags: [1] }, /tags/],
    ['a long tag', { tags: ['x'.repeat(256)] }, /255|long/],
    ['a tag outside the BMP', { tags: ['😀'] }, /character|unicode|tag/i],
    ['min_ram as text', { min_ram: '7' }, /min_ram/],
    ['min_ram below 0', { min_ram: -1 }, /min_ram/],
    ['min_disk too large', { min_disk: 2 ** 31 }, /min_disk/],
    ['min_disk with a fraction', { min_disk: 1.5 }, /min_disk/],
    ['a visibility that does not exist', { visibility: 'secret' }, /visibility/],
    ['a disk_format that does not exist', { disk_format: 'nonsense' }, /disk_format/],
    ['a container_format that does not exist', { container_format: 'nonsense' }, /container_format/],
    ['protected as text', { protected: 'true' }, /protected/],
    ['os_hidden as a number', { os_hidden: 1 }, /os_hidden/],
    ['an id that is none', { id: '../../etc/passwd' }, /id/],
    ['a property that is a number', { cores: 4 }, /cores/],
    ['a property that is a list', { cores: ['4'] }, /cores/],
    ['a property without a name', { '': 'x' }, /name|empty|property/i],
    ['a property with a long name', { ['k'.repeat(256)]: 'x' }, /255/],
    ['a property with a long value', { key: 'v'.repeat(65_536) }, /65535|long|bytes/i],
    ['a property outside the BMP', { key: '😀' }, /character|unicode|key/i],
    ['a name of a property outside the BMP', { '😀': 'v' }, /character|unicode|property/i],
    ['a kernel that is no id', { kernel_id: 'x' }, /kernel_id/],
    ['an attribute that only the service sets', { self: '/x' }, /read-only/, 403],
    ['a status', { status: 'active' }, /read-only/, 403],
    ['a checksum', { checksum: 'x' }, /read-only/, 403],
    ['a reserved property', { os_glance_x: '1' }, /reserved/, 403],
    ['locations', { locations: [] }, /reserved/, 403],
    ['a public image of a member', { visibility: 'public' }, /publicize_image/, 403],
    ['another owner', { owner: 'alt' }, /add_image|owned|another/, 403],
    [
      '129 properties',
      Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, 'v'])),
      /Attempted: 129, Maximum: 128/,
      413,
    ],
    [
      '10,000 properties',
      Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, 'v'])),
      /Attempted: 10000, Maximum: 128/,
      413,
    ],
    ['129 tags', { tags: Array.from({ length: 129 }, (_, n) => `t${n}`) }, /Attempted: 129, Maximum: 128/, 413],
  ])('%s', (_, body, says, status = 400) => refused({ body, says, status }));
});

describe('patches', () => {
  test.each<[string, Row]>([
    [
      'another media type',
      {
        ...replace('/name', 'x'),
        headers: { 'content-type': 'application/json' },
        status: 415,
        says: /media type|Content-Type/i,
      },
    ],
    ['no media type', { ...replace('/name', 'x'), headers: {}, status: 415, says: /media type|Content-Type/i }],
    ['no list', { ...patch(), body: {}, says: /list|array/i }],
    ['a change that is no object', { ...patch('x'), says: /object/i }],
    [
      'an operation that does not exist',
      { ...patch({ op: 'move', path: '/a', from: '/b' }), says: /add, remove, replace|operation|op/i },
    ],
    ['no operation', { ...patch({ path: '/name', value: 'x' }), says: /op/i }],
    ['two operations at once', { ...patchOld({ add: '/a', replace: '/b', value: 'x' }), says: /operation|one of/i }],
    ['no value', { ...patch({ op: 'add', path: '/a' }), says: /value/ }],
    ['no path', { ...patch({ op: 'add', value: 'x' }), says: /path/i }],
    ['a path that is no text', { ...patch({ op: 'add', path: 3, value: 'x' }), says: /path|pointer/i }],
    ['a pointer without its slash', { ...add('name', 'x'), says: /pointer|slash|start/i }],
    ['an empty pointer', { ...add('/', 'x'), says: /pointer|empty|path/i }],
    ['an inner empty segment', { ...add('/a//b', 'x'), says: /pointer|empty|path/i }],
    ['a deep pointer', { ...add('/a/b/c/d/e/f', 'x'), says: /pointer|depth|level|path/i }],
    ['a very deep pointer', { ...add(`/${'a/'.repeat(5_000)}b`, 'x'), says: /pointer|depth|level|path/i }],
    ['a lone tilde', { ...add('/a~2', 'x'), says: /~|pointer/i }],
    ['an element of a list', { ...add('/tags/-', 'x'), says: /pointer|depth|level|path/i }],
    ['a read-only attribute', { ...replace('/status', 'active'), status: 403, says: /read-only/ }],
    ['the id', { ...replace('/id', NO_IMAGE), status: 403, says: /read-only/ }],
    ['the stores', { ...replace('/stores', 'x'), status: 403, says: /stores/ }],
    ['a reserved attribute', { ...replace('/deleted', true), status: 403, says: /reserved/ }],
    ['a property of the import', { ...add('/os_glance_import_task', 'x'), status: 403, says: /reserved/ }],
    ['the owner, by a member', { ...replace('/owner', 'alt'), status: 403, says: /owner/ }],
    [
      'the removal of a base attribute',
      { ...patch({ op: 'remove', path: '/name' }), status: 403, says: /may not be removed/ },
    ],
    [
      'the removal of what is not there',
      { ...patch({ op: 'remove', path: '/nothing' }), status: 409, says: /does not exist/ },
    ],
    ['the replacement of what is not there', { ...replace('/nothing', 'x'), status: 409, says: /does not exist/ }],
    [
      'adding what is there, by the old form',
      { ...patchOld({ add: '/name', value: 'x' }), status: 409, says: /already present/ },
    ],
    [
      'the format of an active image',
      { ...replace('/disk_format', 'qcow2'), image: { status: 'active' }, status: 403, says: /only replaced|queued/ },
    ],
    [
      'locations, where they are off',
      { ...add('/locations/-', { url: 's3://x/y', metadata: {} }), status: 403, says: /location/i },
    ],
    ['a number out of range', { ...replace('/min_ram', 2 ** 40), says: /min_ram/ }],
    [
      'an image that does not exist',
      { ...replace('/name', 'x'), path: `/v2/images/${NO_IMAGE}`, status: 404, says: /No image found|not found/i },
    ],
    [
      'a bad patch of one that does not exist',
      { ...replace('x', 'x'), path: `/v2/images/${NO_IMAGE}`, says: /pointer|slash|start/i },
    ],
    ['an image of others', { ...replace('/name', 'x'), as: 'alt', status: 404, says: /No image found|not found/i }],
    [
      'a public image of others',
      { ...replace('/name', 'x'), as: 'alt', image: { visibility: 'public' }, status: 403, says: /modify_image/ },
    ],
  ])('%s', (_, row) => refused(row));
});

describe('queries', () => {
  test.each<[string, string, RegExp, number?]>([
    ['limit that is no number', 'limit=x', /limit/],
    ['limit below 0', 'limit=-1', /limit/],
    ['a marker that does not exist', `marker=${NO_IMAGE}`, /marker|image/i],
    ['a sort key that does not exist', 'sort_key=nonsense', /sort/i],
    ['a direction that does not exist', 'sort_key=name&sort_dir=up', /sort/i],
    ['both forms of sorting', 'sort=name:asc&sort_key=name', /sort/i],
    ['more directions than keys', 'sort_key=name&sort_dir=asc&sort_dir=desc', /sort/i],
    ['a visibility that does not exist', 'visibility=secret', /visibility/],
    ['a member_status that does not exist', 'member_status=maybe', /member|status/i],
    ['protected in capitals', 'protected=True', /protected/],
    ['os_hidden that is no boolean', 'os_hidden=maybe', /os_hidden/],
    ['an operator that does not exist', 'name=like:x', /operator|like/i],
    ['an open quote', 'name=in:%22a', /quot|name|in:/i],
    ['a time that is none', 'created_at=gt:yesterday', /created_at|time|date/i],
    ['an operator that times do not have', 'created_at=in:2026-01-01', /created_at|operator/i],
    ['a size that is no number', 'size_min=x', /size_min/],
    ['changes-since', 'changes-since=2026-01-01', /changes-since/],
    ['two limits', 'limit=1&limit=2', /limit is given more than once/],
    ['two markers', `marker=${NO_IMAGE}&marker=x`, /marker is given more than once/],
    ['two visibilities', 'visibility=all&visibility=public', /visibility is given more than once/],
    ['two values of member_status', 'member_status=all&member_status=pending', /member_status is given more than once/],
    ['both forms of sorting, again and again', 'sort=name&sort=id&sort_dir=asc', /sort/i],
  ])('%s', (_, query, says, status = 400) => refused({ method: 'GET', path: `/v2/images?${query}`, says, status }));

  test.each([
    'limit=1&limit=1',
    'name=a&name=b',
    'os_hidden=true&os_hidden=false',
    'tag=a&tag=a&tag=b',
    'name=%00',
    'tag=%F0%9F%98%80',
    'a=%0D%0AX-Injected:1',
    'locations=x&properties=y',
    '__proto__=x&constructor=y',
    `name=${'x'.repeat(5000)}`,
    'name=%E0%A4%A',
  ])('%s is a question with an empty answer', async (query) => {
    await service.deps.images.create(anImage());

    const { status, headers, text } = await ask('GET', `/v2/images?${query}&run=none`, '', { 'x-auth-token': 'demo' });

    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({ images: [] })]);
    expect(headers).not.toHaveProperty('x-injected');
  });

  test.each([
    '/v2/tasks?limit=1&limit=2',
    '/v2/tasks?status=success&status=failure',
    '/v2/tasks?sort_key=id&sort_key=type',
  ])('%s is refused', (path) => refused({ method: 'GET', path, as: 'admin', says: /is given more than once/ }));
});

describe('paths and headers', () => {
  test.each<[string, Row]>([
    [
      'an id that climbs',
      { method: 'GET', path: '/v2/images/..%2F..%2Fetc%2Fpasswd', status: 404, says: /not be found|No image/i },
    ],
    ['an id of dots', { method: 'GET', path: '/v2/images/%2E%2E', status: 404, says: /not be found|No image/i }],
    ['an id with NUL', { method: 'GET', path: '/v2/images/%00', status: 404, says: /not be found|No image/i }],
    ['an id of markup', { method: 'GET', path: '/v2/images/%3Cscript%3E', status: 404, says: /&lt;script&gt;/ }],
    [
      'a very long id',
      { method: 'GET', path: `/v2/images/${'x'.repeat(3_000)}`, status: 404, says: /not be found|No image/i },
    ],
    [
      'bytes that are not UTF-8',
      { method: 'GET', path: '/v2/images/%FF', status: 404, says: /not be found|No image/i },
    ],
    ['a tag that climbs', { method: 'PUT', path: '/v2/images/{id}/tags/..%2Fx', status: 404, says: /not be found/i }],
    ['a long tag', { method: 'PUT', path: `/v2/images/{id}/tags/${'x'.repeat(256)}`, says: /255|long/i }],
    [
      'a tag outside the BMP',
      { method: 'PUT', path: '/v2/images/{id}/tags/%F0%9F%98%80', says: /character|unicode|tag/i },
    ],
    ['a tag that is not there', { method: 'DELETE', path: '/v2/images/{id}/tags/x', status: 404, says: /no tag 'x'/ }],
    ['a path that does not exist', { method: 'GET', path: '/v2/nothing', status: 404, says: /not be found/ }],
    [
      'a method that does not exist here',
      { method: 'PUT', path: '/v2/images', status: 405, says: /not allowed|method/i },
    ],
    [
      'a long request id',
      {
        method: 'GET',
        headers: { 'x-openstack-request-id': `req-${'x'.repeat(100)}` },
        status: 431,
        says: /64|characters/,
      },
    ],
  ])('%s', (_, row) => refused(row));

  test.each(['a\tb', 'req-"><script>', 'ä'])('the request id %j comes back harmless', async (id) => {
    const { headers } = await ask('GET', '/v2/images', '', {
      'x-auth-token': 'demo',
      'x-openstack-request-id': Buffer.from(id).toString('latin1'),
    });

    expect(headers['x-openstack-request-id']).toMatch(/^req-[\x20-\x7e]*$/);
  });
});

describe('members, imports, stores, tasks', () => {
  const importing = (body: unknown, more: Partial<Row> = {}): Omit<Row, 'says'> => ({
    path: '/v2/images/{id}/import',
    body,
    ...more,
  });
  const active = { status: 'active', size: 1, locations: [aLocation('central')] } as const;
  const web = { method: { name: 'web-download', uri: 'http://example.org/x' } };

  test.each<[string, Row]>([
    ['no member', { path: '/v2/images/{id}/members', body: {}, says: /member/ }],
    ['a member that is no text', { path: '/v2/images/{id}/members', body: { member: 7 }, says: /member/ }],
    ['a long member', { path: '/v2/images/{id}/members', body: { member: 'x'.repeat(256) }, says: /255|long|member/i }],
    [
      'a member outside the BMP',
      { path: '/v2/images/{id}/members', body: { member: '😀' }, says: /character|unicode|member/i },
    ],
    [
      'a member of a private image',
      {
        path: '/v2/images/{id}/members',
        body: { member: 'alt' },
        image: { visibility: 'private' },
        status: 403,
        says: /shared/,
      },
    ],
    ['a member that does not exist', { method: 'DELETE', path: '/v2/images/{id}/members/x', status: 404, says: /x/ }],
    ['no method', { ...importing({}), says: /method/ }],
    ['a method that is no object', { ...importing({ method: 'web-download' }), says: /method/ }],
    ['a method that does not exist', { ...importing({ method: { name: 'magic' } }), says: /magic|import method/i }],
    ['a flag that is text', { ...importing({ ...web, all_stores: 'yes' }), says: /all_stores/ }],
    ['stores that are none', { ...importing({ ...web, stores: null }), says: /stores/ }],
    ['no stores', { ...importing({ ...web, stores: [] }), says: /stores/ }],
    ['a store that does not exist', { ...importing({ ...web, stores: ['nowhere'] }), status: 409, says: /nowhere/ }],
    [
      'a store of the service itself',
      { ...importing({ ...web, stores: ['os_glance_staging_store'] }), status: 409, says: /os_glance_staging_store/ },
    ],
    [
      'stores in body and header',
      {
        ...importing({ ...web, stores: ['central'] }, { headers: { 'x-image-meta-store': 'central' } }),
        says: /store/i,
      },
    ],
    [
      'an empty store by header',
      { ...importing(web, { headers: { 'x-image-meta-store': '' } }), status: 409, says: /Store "" is not configured/ },
    ],
    [
      'all stores and a store by header',
      { ...importing({ ...web, all_stores: true }, { headers: { 'x-image-meta-store': 'dcn0' } }), says: /together/ },
    ],
    ['all stores and some', { ...importing({ ...web, all_stores: true, stores: ['dcn0'] }), says: /together/ }],
    [
      'a copy into the store that holds the image',
      {
        ...importing({ method: { name: 'copy-image' }, stores: ['central'] }, { image: active, as: 'admin' }),
        says: /already present at store "central"/,
      },
    ],
    [
      'a copy of what is not there yet',
      { ...importing({ method: { name: 'copy-image' } }, { as: 'admin' }), status: 409, says: /status active/ },
    ],
    [
      'a method that is not enabled',
      { ...importing({ method: { name: 'glance-download', glance_region: 'x' } }), says: /glance-download/ },
    ],
    ['no URL', { ...importing({ method: { name: 'web-download' } }), says: /uri/i }],
    [
      'a URL that the filter refuses',
      {
        ...importing({ method: { name: 'web-download', uri: 'ftp://example.org/x' } }),
        says: /does not pass filtering|example\.org/,
      },
    ],
    [
      'an image without formats',
      { ...importing(web, { image: { diskFormat: null } }), status: 409, says: /disk_format/ },
    ],
    ['an image that is active', { ...importing(web, { image: active }), status: 409, says: /active|queued/ }],
    [
      'a copy by a member',
      { ...importing({ method: { name: 'copy-image' } }, { image: active }), status: 403, says: /copy_image/ },
    ],
    ['an image of another project', { ...importing(web, { as: 'alt' }), status: 404, says: /No image found/ }],
    [
      'the deactivation of a queued image',
      { path: '/v2/images/{id}/actions/deactivate', status: 403, says: /queued|deactivat/i },
    ],
    [
      'the deletion of a protected image',
      { method: 'DELETE', path: '/v2/images/{id}', image: { protected: true }, status: 403, says: /protected/ },
    ],
    [
      'a copy in a store that does not exist',
      { method: 'DELETE', path: '/v2/stores/nowhere/{id}', as: 'admin', status: 409, says: /nowhere/ },
    ],
    [
      'a copy of a queued image',
      { method: 'DELETE', path: '/v2/stores/central/{id}', as: 'admin', status: 409, says: /queued|active/ },
    ],
    [
      'the last copy',
      {
        method: 'DELETE',
        path: '/v2/stores/central/{id}',
        as: 'admin',
        image: active,
        status: 403,
        says: /last|only|location/i,
      },
    ],
    ['tasks, for a member', { method: 'GET', path: '/v2/tasks', status: 403, says: /tasks_api_access/ }],
    [
      'a task that does not exist',
      { method: 'GET', path: `/v2/tasks/${NO_IMAGE}`, as: 'admin', status: 404, says: /task/i },
    ],
    [
      'a task of another type',
      { path: '/v2/tasks', as: 'admin', body: { type: 'export', input: {} }, says: /type|export/i },
    ],
    [
      'a status of tasks that does not exist',
      { method: 'GET', path: '/v2/tasks?status=x', as: 'admin', says: /status/ },
    ],
    [
      'details of stores, for a member',
      { method: 'GET', path: '/v2/info/stores/detail', status: 403, says: /stores_info_detail/ },
    ],
  ])('%s', (_, row) => refused(row));
});

test.each([V21.toUpperCase(), `${V20.replace('json', 'JSON')}; charset=utf-8`])(
  'the media type %s of a patch is one, whatever its case',
  async (type) => {
    const { body: image } = await service.call('POST', '/v2/images', { as: 'demo', body: {} });
    const change = type === V21.toUpperCase() ? { op: 'add', path: '/a', value: 'x' } : { add: '/a', value: 'x' };

    const answer = await service.call('PATCH', image.self, {
      ...{ as: 'demo', headers: { 'content-type': type }, body: [change] },
    });

    expect(answer.status).toBe(200);
  },
);
