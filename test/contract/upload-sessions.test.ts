import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crc32Header } from '../../bytes/crc32.ts';
import { directIn } from '../../bytes/direct.ts';
import { dataKey, stagedPrefix } from '../../bytes/keys.ts';
import { parseConfig } from '../../core/config.ts';
import type { Image } from '../../core/images/image.ts';
import { janitor } from '../../core/janitor/janitor.ts';
import { anImage } from '../support/images.ts';
import { type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';
import { type S3Rig, startPlaces } from '../support/s3-places.ts';

const MIB = 1024 * 1024;
/** One whole part and a short one. */
const BYTES = randomBytes(5 * MIB + 1000);
const SIZE = BYTES.length;
const PART = 5 * MIB;
const PIECES = [BYTES.subarray(0, PART), BYTES.subarray(PART)] as const;
const partOf = (number: number, body: Uint8Array) => ({ number, size: body.length, crc32: crc32Header(crc32(body)) });
const PARTS = PIECES.map((body, at) => partOf(at + 1, body));

const STORES = [{ id: 'central', bucket: 'central-bucket', default: true }];
let s3: S3Rig;
let api: TestApi;

beforeAll(async () => {
  s3 = await startPlaces(parseConfig({ stores: STORES }));
  const { places } = s3;
  api = await startImagesApi({ stores: STORES }, { bytes: places, direct: directIn(places) });
});
afterAll(async () => {
  await api.close();
  await s3.close();
});

async function queued(different: Partial<Image> = {}): Promise<Image> {
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', ...different });
  await api.deps.images.create(image);
  return image;
}

interface Begun {
  readonly image: Image;
  readonly to: string;
  readonly id: string;
}

async function begun(different: Partial<Image> = {}, size = SIZE): Promise<Begun> {
  const image = await queued(different);
  const uploads = `/glimpse/v1/images/${image.id}/uploads`;
  const { status, body } = await api.call('POST', uploads, { as: 'demo', body: { size, part_size: PART } });
  expect(status).toBe(201);
  return { image, to: `${uploads}/${body.upload.id}`, id: body.upload.id };
}

interface Signed {
  readonly number: number;
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expires_at: string;
}

async function signed({ to }: Pick<Begun, 'to'>, parts: readonly object[] = PARTS): Promise<Signed[]> {
  const { status, body } = await api.call('POST', `${to}/parts`, { as: 'demo', body: { parts } });
  expect(status).toBe(200);
  return body.parts;
}

/** A request with exactly these headers; `fetch` would write a length of its own. */
function send(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'PUT', headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const code = /<Code>(\w+)<\/Code>/.exec(Buffer.concat(chunks).toString())?.[1] ?? '';
        resolve([answer.statusCode ?? 0, code]);
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const sendAll = async (parts: readonly Signed[]) =>
  Promise.all(parts.map(({ number, url, headers }) => send(url, headers, PIECES[number - 1] as Uint8Array)));

const show = async (to: string, as: CallerName = 'demo') => api.call('GET', to, { as });

describe('an upload session', () => {
  test('takes the bytes of an image in parts, past us, and stages them for an import', async () => {
    const session = await begun();
    const opened = await show(session.to);

    expect(opened.body).toMatchObject({
      ...{ id: session.id, image_id: session.image.id, state: 'open', size: SIZE, part_size: PART, part_count: 2 },
      ...{ received: 0, parts: [] },
    });
    const [first, second] = (await signed(session)) as [Signed, Signed];
    expect(first).toMatchObject({ number: 1, method: 'PUT', headers: { 'content-length': String(PART) } });
    expect(await send(first.url, first.headers, PIECES[0])).toEqual([200, '']);
    expect((await show(session.to)).body).toMatchObject({ received: PART, parts: [PARTS[0]] });
    expect(await send(second.url, second.headers, PIECES[1])).toEqual([200, '']);

    const completed = await api.call('POST', `${session.to}/complete`, { as: 'demo' });

    expect(completed.status).toBe(200);
    expect(completed.body).toMatchObject({ state: 'complete', received: SIZE, parts: [] });
    expect(await api.deps.images.get(session.image.id)).toMatchObject({
      ...{ status: 'uploading', lock: null, size: SIZE },
      staged: { writeId: session.id, layout: 'plain', size: SIZE },
    });
    const stored = await s3.places.staging.getObject(dataKey(stagedPrefix(session.image.id, session.id)));
    expect(Buffer.from(stored).equals(BYTES)).toBe(true);
    const imported = await api.call('POST', `/v2/images/${session.image.id}/import`, {
      ...{ as: 'demo', body: { method: { name: 'glance-direct' } } },
    });
    expect(imported.status).toBe(202);
    expect(await api.call('POST', `${session.to}/complete`, { as: 'demo' })).toMatchObject({ status: 200 });
  });
});

test('the janitor ends one that nobody was heard of', async () => {
  const session = await begun();
  await sendAll(await signed(session));
  api.time.nowMs += 23 * 3_600_000;
  await janitor(api.deps);
  expect((await show(session.to)).body.state).toBe('open');

  api.time.nowMs += 2 * 3_600_000;
  await janitor(api.deps);

  expect((await show(session.to)).body).toMatchObject({ state: 'expired', received: 0, parts: [] });
  expect(await api.deps.images.get(session.image.id)).toMatchObject({ status: 'queued', lock: null, size: null });
  expect((await s3.keys('staging')).filter((key) => key.includes(session.id))).toEqual([]);
});
