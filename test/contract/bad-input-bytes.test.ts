/** Bad input to the paths of image bytes, each with its exact status and a sentence that the clients can show. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Image } from '../../core/images/image.ts';
import { expectSentence, shownOf } from '../support/error-page.ts';
import { type GatewayRig, OCTETS, type Sent, startGateway } from '../support/gateway.ts';

const ORIGIN = 'https://console.example.org';

let rig: GatewayRig;
beforeAll(async () => {
  rig = await startGateway({ image_size_cap: 1_000, cors_allowed_origins: [ORIGIN] });
});
afterAll(() => rig.close());

interface Row {
  readonly method?: string;
  /** Below `/v2/images/{id}/`; `{id}` is an image of project demo. Default: file. */
  readonly leaf?: string;
  readonly path?: string;
  readonly headers?: Sent['headers'];
  readonly body?: string;
  readonly image?: Partial<Image>;
  readonly status: number;
  readonly says: RegExp;
}

const octets = (headers: Sent['headers'] = {}): Sent['headers'] => ({ ...OCTETS, ...headers });
const ask = (method: string, path: string, headers: Sent['headers'], body: string | undefined) =>
  rig.send(method, path, {
    headers: { accept: '*/*', ...headers },
    ...(body !== undefined && { body: Buffer.from(body) }),
  });

async function refused({ method = 'PUT', leaf = 'file', path, headers, body, image, status, says }: Row) {
  const { id } = await rig.image(image);
  const before = await rig.show(id);

  const answer = await ask(method, path ?? `/v2/images/${id}/${leaf}`, headers, body);

  const sentence = shownOf(answer.body.toString());
  expect([answer.status, sentence]).toEqual([status, expect.stringMatching(says)]);
  expect(answer.headers['content-type']).toBe('text/html; charset=UTF-8');
  expectSentence(status, sentence);
  // An upload that had begun has left its time, and nothing else.
  expect(await rig.show(id)).toEqual({ ...before, revision: expect.any(Number), updatedAt: expect.any(String) });
}

const size = (value: string | number) => octets({ 'x-openstack-image-size': value });
const store = (value: string) => octets({ 'x-image-meta-store': value });

describe.each(['file', 'stage'])('PUT %s', (leaf) => {
  test.each<[string, Omit<Row, 'leaf'>]>([
    ['no token', { headers: octets({ 'x-auth-token': undefined }), body: 'x', status: 401, says: /authentication/ }],
    ['no media type', { body: 'x', status: 415, says: /octet-stream/ }],
    ['JSON', { headers: { 'content-type': 'application/json' }, body: '{}', status: 415, says: /octet-stream/ }],
    ['a size that is text', { headers: size('big'), body: 'x', status: 400, says: /x-openstack-image-size.*big/i }],
    ['a size below 0', { headers: size(-1), body: 'x', status: 400, says: /x-openstack-image-size.*-1/i }],
    ['a size with a fraction', { headers: size('1.5'), body: 'x', status: 400, says: /x-openstack-image-size.*1\.5/i }],
    [
      'a size beyond numbers',
      { headers: size('9'.repeat(400)), body: 'x', status: 400, says: /x-openstack-image-size/i },
    ],
    ['a size above the cap', { headers: size(1_001), body: 'x', status: 413, says: /1000|image_size_cap/ }],
    ['a body above the cap', { headers: octets(), body: 'x'.repeat(1_001), status: 413, says: /1000|image_size_cap/ }],
    ['a body longer than declared', { headers: size(3), body: 'four', status: 400, says: /3.*bytes|declared/ }],
    ['a body shorter than declared', { headers: size(9), body: 'four', status: 400, says: /9.*bytes|declared/ }],
    [
      'an image of others',
      { headers: octets(), image: { owner: 'alt' }, body: 'x', status: 404, says: /No image found/ },
    ],
    ['an active image', { headers: octets(), image: { status: 'active' }, body: 'x', status: 409, says: /active/ }],
    [
      'a request id that is too long',
      { headers: octets({ 'x-openstack-request-id': 'x'.repeat(65) }), body: 'x', status: 431, says: /64/ },
    ],
  ])('%s', (_, row) => refused({ ...row, leaf }));

  test.each([
    ['..%2F..%2Fetc%2Fpasswd'],
    ['%2E%2E'],
    ['%00'],
    ['%FF'],
    ['x'.repeat(3_000)],
    ['%3Cscript%3E'],
    [randomUUID()],
  ])('of %s: there is no such image', async (id) => {
    const { status, body } = await ask('PUT', `/v2/images/${id}/${leaf}`, octets(), 'x');

    expect(status).toBe(404);
    expectSentence(404, shownOf(body.toString()));
    expect(body.toString()).not.toContain('<script>');
  });
});

describe('PUT file', () => {
  test.each<[string, Row]>([
    ['a store that does not exist', { headers: store('nowhere'), body: 'x', status: 400, says: /nowhere/ }],
    ['a store of the service itself', { headers: store('os_glance_x'), body: 'x', status: 400, says: /os_glance_x/ }],
    ['no disk_format', { headers: octets(), image: { diskFormat: null }, body: 'x', status: 400, says: /disk_format/ }],
    [
      'what disk_format denies',
      { headers: octets(), image: { diskFormat: 'qcow2' }, body: 'x', status: 415, says: /disk_format qcow2/ },
    ],
  ])('%s', (_, row) => refused(row));

  test('markup in the name of a store comes back harmless', async () => {
    const { id } = await rig.image();

    const { status, body } = await ask('PUT', `/v2/images/${id}/file`, store('<script>'), 'x');

    expect(status).toBe(400);
    expect(body.toString()).toContain('&lt;script&gt;');
    expect(body.toString()).not.toContain('<script>');
  });
});

describe('GET file', () => {
  test.each<[string, Omit<Row, 'method'>]>([
    ['a body', { headers: { 'content-length': 2 }, body: '{}', status: 400, says: /not expected/ }],
    ['a store that does not exist', { leaf: 'file?prefer=nowhere', status: 400, says: /nowhere/ }],
    ['an image of others', { image: { owner: 'alt' }, status: 404, says: /No image found/ }],
    ['a deactivated image', { image: { status: 'deactivated', size: 1 }, status: 403, says: /deactivated/ }],
  ])('%s', (_, row) => refused({ ...row, method: 'GET' }));
});

test.each(['OPTIONS', 'PUT'])('%s from an allowed page says so, from another it does not', async (method) => {
  const { id } = await rig.image();
  const from = async (origin: string) =>
    (await ask(method, `/v2/images/${id}/stage`, { origin, 'content-type': 'text/plain' }, 'x')).headers;

  expect((await from(ORIGIN))['access-control-allow-origin']).toBe(ORIGIN);
  expect(await from('https://elsewhere')).not.toHaveProperty('access-control-allow-origin');
});
