import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directIn } from '../../bytes/direct.ts';
import { dataKey, imagePrefix } from '../../bytes/keys.ts';
import { parseConfig } from '../../core/config.ts';
import type { Image } from '../../core/images/image.ts';
import { aLocation, anImage } from '../support/images.ts';
import { type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';
import { type S3Rig, startPlaces } from '../support/s3-places.ts';

const STORES = [
  { id: 'central', bucket: 'central-bucket', default: true },
  { id: 'plain', bucket: 'plain-bucket', sparse: false, weight: 5 },
];
const BYTES = Buffer.from('the bytes of an image');
let s3: S3Rig;
let api: TestApi;

beforeAll(async () => {
  s3 = await startPlaces(parseConfig({ stores: STORES }));
  api = await startImagesApi({ stores: STORES }, { bytes: s3.places, direct: directIn(s3.places) });
});
afterAll(async () => {
  await api.close();
  await s3.close();
});

/** An active image with copies in these stores; the bytes lie where its plain copies are. */
async function stored(stores: Readonly<Record<string, 'plain' | 'sparse'>>, different: Partial<Image> = {}) {
  const id = randomUUID();
  const writeId = randomUUID();
  const image = anImage({
    ...{ id, status: 'active', size: BYTES.length, checksum: 'c', hashAlgo: 'sha512', hashValue: 'h' },
    locations: Object.entries(stores).map(([store, layout]) => aLocation(store, { writeId, layout })),
    ...different,
  });
  await api.deps.images.create(image);
  for (const [store, layout] of Object.entries(stores))
    if (layout === 'plain') await s3.places.of(store).putObject(dataKey(imagePrefix(id, writeId)), BYTES);
  return { image, key: dataKey(imagePrefix(id, writeId)) };
}

const link = (id: string, as: CallerName = 'demo') => api.call('POST', `/glimpse/v1/images/${id}/links`, { as });

test('a link gives the bytes to who has no token, whole and in ranges', async () => {
  const { image } = await stored({ central: 'plain' });

  const { status, body } = await link(image.id);

  expect(status).toBe(200);
  expect(body).toMatchObject({
    ...{ method: 'GET', headers: {}, size: BYTES.length, checksum: 'c', os_hash_algo: 'sha512', os_hash_value: 'h' },
  });
  const whole = await fetch(body.url);
  expect(Buffer.from(await whole.arrayBuffer()).equals(BYTES)).toBe(true);
  const part = await fetch(body.url, { headers: { range: 'bytes=4-8' } });
  expect([part.status, await part.text()]).toEqual([206, 'bytes']);
  expect(new URL(body.url).searchParams.get('X-Amz-Expires')).toBe('60');
});

test('it is for reading one object and nothing else', async () => {
  const [{ image }, other] = [await stored({ central: 'plain' }), await stored({ central: 'plain' })];
  const { body } = await link(image.id);
  const elsewhere = new URL(body.url);
  elsewhere.pathname = `/central-bucket/${other.key}`;
  const later = new URL(body.url);
  later.searchParams.set('X-Amz-Expires', '3600');

  for (const request of [
    fetch(elsewhere),
    fetch(later),
    fetch(body.url, { method: 'PUT', body: 'x' }),
    fetch(body.url, { method: 'DELETE' }),
  ])
    expect((await request).status).toBe(403);
});

test('it leads to the store that a download would read, if the image is one object there', async () => {
  const both = await stored({ central: 'plain', plain: 'plain' });
  const mixed = await stored({ central: 'plain', plain: 'sparse' });

  expect(new URL((await link(both.image.id)).body.url).pathname).toBe(`/plain-bucket/${both.key}`);
  expect(new URL((await link(mixed.image.id)).body.url).pathname).toBe(`/central-bucket/${mixed.key}`);
});

test('a copy that is not there is passed over', async () => {
  const { image, key } = await stored({ central: 'plain', plain: 'plain' });
  await s3.places.of('plain').removeObject(key);

  expect(new URL((await link(image.id)).body.url).pathname).toBe(`/central-bucket/${key}`);
});

test('an image that is many objects has none, and the answer says what to do', async () => {
  const { image } = await stored({ central: 'sparse' });

  const { status, text } = await link(image.id);

  expect(status).toBe(409);
  expect(text).toContain(`stored packed (sparse) in central`);
  expect(text).toContain(`GET /v2/images/${image.id}/file`);
});

test.each([
  ['queued', 'demo', 409],
  ['deactivated', 'demo', 403],
  ['deactivated', 'admin', 200],
] as const)('of an image that is %s %s gets %i', async (status, as, answer) => {
  const { image } = await stored(status === 'queued' ? {} : { central: 'plain' }, { status });

  expect((await link(image.id, as)).status).toBe(answer);
});

test('a store that does not answer is unavailable, and its URL is said nowhere', async () => {
  const { image } = await stored({ central: 'plain' });
  s3.faults.set('central-bucket', { status: 503, code: 'ServiceUnavailable' });
  try {
    const { status, text } = await link(image.id);

    expect(status).toBe(503);
    expect(text).not.toContain('X-Amz');
  } finally {
    s3.faults.set('central-bucket', undefined);
  }
});
