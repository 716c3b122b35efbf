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
/** What the service said in its log. */
const LOGGED: string[] = [];
let s3: S3Rig;
let api: TestApi;

beforeAll(async () => {
  s3 = await startPlaces(parseConfig({ stores: STORES }));
  const { places } = s3;
  const note = (...told: unknown[]) => void LOGGED.push(JSON.stringify(told));
  const log = { info: note, warn: note, error: note };
  api = await startImagesApi({ stores: STORES }, { bytes: places, direct: directIn(places), log });
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

describe('who holds a URL', () => {
  /** An open session and the request of its second part. */
  const given = async () => {
    const session = await begun();
    const [, second] = (await signed(session)) as [Signed, Signed];
    return { session, url: second.url, headers: second.headers };
  };
  const [WHOLE, SHORT] = PIECES;
  const other = Buffer.from(SHORT).fill(0);
  const crcOf = (body: Uint8Array) => ({ 'x-amz-checksum-crc32': crc32Header(crc32(body)) });

  test('can store the bytes of that part, and store them again', async () => {
    const { session, url, headers } = await given();

    expect(await send(url, headers, SHORT)).toEqual([200, '']);
    expect(await send(url, headers, SHORT)).toEqual([200, '']);
    expect((await show(session.to)).body).toMatchObject({ received: SHORT.length, parts: [PARTS[1]] });
  });

  test.each<[string, (headers: Readonly<Record<string, string>>) => Record<string, string>, Uint8Array]>([
    ['a longer body', (headers) => ({ ...headers, 'content-length': String(WHOLE.length) }), WHOLE],
    ['a longer body with its CRC32', () => ({ 'content-length': String(WHOLE.length), ...crcOf(WHOLE) }), WHOLE],
    ['other bytes', (headers) => headers, other],
    ['other bytes with their CRC32', (headers) => ({ ...headers, ...crcOf(other) }), other],
    ['no CRC32', ({ 'content-length': length = '' }) => ({ 'content-length': length }), SHORT],
  ])('cannot store %s', async (_, headersOf, body) => {
    const { session, url, headers } = await given();

    const [status] = await send(url, headersOf(headers), body);

    expect([400, 403]).toContain(status);
    expect((await show(session.to)).body.parts).toEqual([]);
  });

  test.each<[string, (url: URL, session: Begun) => unknown]>([
    ['another part', ({ searchParams }) => searchParams.set('partNumber', '1')],
    ['a part of another upload', ({ searchParams }) => searchParams.set('uploadId', 'another')],
    [
      'a part of another image',
      (url, { image }) => {
        url.pathname = url.pathname.replace(
          image.id,
          image.id.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
        );
      },
    ],
    [
      'an object',
      ({ searchParams }) => {
        searchParams.delete('partNumber');
        searchParams.delete('uploadId');
      },
    ],
    ['a part for longer', ({ searchParams }) => searchParams.set('X-Amz-Expires', '86400')],
    ['a part under another key', ({ searchParams }) => searchParams.set('X-Amz-Signature', '0'.repeat(64))],
  ])('cannot store %s', async (_, change) => {
    const { session, url, headers } = await given();
    const changed = new URL(url);
    change(changed, session);

    expect(await send(changed.href, headers, SHORT)).toEqual([403, 'SignatureDoesNotMatch']);
    expect((await s3.keys('staging')).some((key) => key.startsWith('staged/') && key.includes(session.id))).toBe(false);
  });

  test('cannot store anything once its time is over: a quarter of an hour', async () => {
    const { url } = await given();

    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('900');
    expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;host;x-amz-checksum-crc32');
  });

  test.each<[string, (session: Begun) => Promise<unknown>]>([
    ['aborted', ({ to }) => api.call('DELETE', to, { as: 'demo' })],
    ['deleted with its image', ({ image }) => api.call('DELETE', `/v2/images/${image.id}`, { as: 'demo' })],
    [
      'expired',
      async () => {
        api.time.nowMs += 25 * 3_600_000;
        await janitor(api.deps);
      },
    ],
  ])('cannot store anything once its session is %s', async (_, end) => {
    const { session, url, headers } = await given();
    expect(await send(url, headers, SHORT)).toEqual([200, '']);

    await end(session);

    expect(await send(url, headers, SHORT)).toEqual([404, 'NoSuchUpload']);
    expect((await s3.keys('staging')).filter((key) => key.includes(session.id))).toEqual([]);
    const swept = (await api.deps.duties.due(Number.MAX_SAFE_INTEGER / 10, 1000)).filter(({ places = [] }) =>
      places.some(({ prefix }) => prefix.includes(session.image.id)),
    );
    // Once more, when no URL lives any more.
    expect(swept.some(({ kind, attempt }) => (kind === 'retired' || kind === 'deleted') && attempt === 1)).toBe(true);
  });
});

describe('a session', () => {
  const parts = (to: string, asked: readonly object[], as: CallerName = 'demo') =>
    api.call('POST', `${to}/parts`, { as, body: { parts: asked } });

  test.each<[string, Partial<Image>]>([
    ['private', { visibility: 'private' }],
    ['public', { visibility: 'public' }],
    ['community', { visibility: 'community' }],
  ])('of a %s image is nothing to another project', async (_, different) => {
    const { to, image } = await begun(different);
    const uploads = `/glimpse/v1/images/${image.id}/uploads`;
    const answers = await Promise.all([
      api.call('GET', uploads, { as: 'alt' }),
      show(to, 'alt'),
      parts(to, PARTS, 'alt'),
      api.call('POST', `${to}/complete`, { as: 'alt' }),
      api.call('DELETE', to, { as: 'alt' }),
    ]);

    expect(new Set(answers.map(({ status }) => status))).toEqual(
      new Set([different.visibility === 'private' ? 404 : 403]),
    );
    expect(answers.some(({ text }) => text.includes('X-Amz') || text.includes(to.split('/').at(-1) ?? ''))).toBe(false);
    expect((await show(to)).body.state).toBe('open');
    expect((await show(to, 'admin')).body.state).toBe('open');
  });

  test('is the only one of its image; another is refused with its name', async () => {
    const { id, image } = await begun();

    for (const size of [SIZE, SIZE + 1]) {
      const again = await api.call('POST', `/glimpse/v1/images/${image.id}/uploads`, { as: 'demo', body: { size } });
      expect(again.status).toBe(409);
      expect(again.text).toContain(`${id}, of ${SIZE} bytes`);
    }
    const [first, second] = (await Promise.all(
      [1, 2]
        .map(async () => queued())
        .map(async (made) => {
          const to = `/glimpse/v1/images/${(await made).id}/uploads`;
          const both = await Promise.all([1, 2].map(() => api.call('POST', to, { as: 'demo', body: { size: SIZE } })));
          return both.map(({ status }) => status).sort();
        }),
    )) as [number[], number[]];
    expect([first, second]).toEqual([
      [201, 409],
      [201, 409],
    ]);
  });

  test.each<[string, object, number]>([
    ['no bytes', { size: 0 }, 400],
    ['half a byte', { size: 1.5 }, 400],
    ['more than an image may have', { size: 2 ** 41 }, 413],
    ['parts below the least', { size: SIZE, part_size: 5 * MIB - 1 }, 400],
    ['parts above the largest', { size: SIZE, part_size: 5 * 1024 * MIB + 1 }, 400],
    ['too many parts', { size: 2 ** 37, part_size: 5 * MIB }, 400],
    ['what nobody knows', { size: SIZE, name: 'x' }, 400],
  ])('of %s is not begun', async (_, body, status) => {
    const { id } = await queued();

    expect((await api.call('POST', `/glimpse/v1/images/${id}/uploads`, { as: 'demo', body })).status).toBe(status);
    expect(await api.deps.images.get(id)).toMatchObject({ status: 'queued', lock: null });
  });

  test.each<[string, object]>([
    ['part 0', { ...PARTS[0], number: 0 }],
    ['a part behind the last', { ...PARTS[1], number: 3 }],
    ['a whole part that is shorter', { ...PARTS[0], size: PART - 1 }],
    ['a last part that is longer', { ...PARTS[1], size: PART }],
    ['a CRC32 that is none', { ...PARTS[0], crc32: 'AAAA' }],
    ['a CRC32 of other bits', { ...PARTS[0], crc32: 'AAAAAB==' }],
  ])('gives no URL for %s', async (_, part) => {
    const { to } = await begun();

    const answer = await parts(to, [part]);

    expect([answer.status, answer.text.includes('X-Amz')]).toEqual([400, false]);
  });

  test('gives URLs for a hundred parts at a time, each once', async () => {
    const { to } = await begun({}, 101 * PART);
    const asked = Array.from({ length: 101 }, (_, at) => ({ number: at + 1, size: PART, crc32: 'AAAAAA==' }));

    expect((await parts(to, asked.slice(0, 100))).body.parts).toHaveLength(100);
    expect((await parts(to, asked)).status).toBe(400);
    expect((await parts(to, [asked[0] as object, asked[0] as object])).status).toBe(400);
    expect((await parts(to, [])).status).toBe(400);
  });

  test('is not complete without all of its parts, and goes on', async () => {
    const session = await begun();
    const [first, second] = (await signed(session)) as [Signed, Signed];
    await send(second.url, second.headers, PIECES[1]);

    const early = await api.call('POST', `${session.to}/complete`, { as: 'demo' });
    expect([early.status, early.text.includes('1 of 2 parts; missing: 1')]).toEqual([409, true]);
    await send(first.url, first.headers, PIECES[0]);

    expect((await api.call('POST', `${session.to}/complete`, { as: 'demo' })).body.state).toBe('complete');
  });

  test('that is complete takes no parts, and is not aborted', async () => {
    const session = await begun();
    const urls = await signed(session);
    await sendAll(urls);
    await api.call('POST', `${session.to}/complete`, { as: 'demo' });

    expect((await parts(session.to, PARTS)).status).toBe(409);
    expect((await api.call('DELETE', session.to, { as: 'demo' })).status).toBe(409);
    expect(await sendAll(urls)).toEqual([
      [404, 'NoSuchUpload'],
      [404, 'NoSuchUpload'],
    ]);
    expect((await api.deps.images.get(session.image.id))?.staged?.size).toBe(SIZE);
  });

  test('that is aborted leaves its image queued for another; to abort it again changes nothing', async () => {
    const session = await begun();
    const abort = () => api.call('DELETE', session.to, { as: 'demo' });

    expect((await abort()).status).toBe(204);
    expect((await abort()).status).toBe(204);
    expect((await api.call('POST', `${session.to}/complete`, { as: 'demo' })).status).toBe(409);
    expect((await show(session.to)).body.state).toBe('aborted');
    const another = await api.call('POST', `/glimpse/v1/images/${session.image.id}/uploads`, {
      ...{ as: 'demo', body: { size: SIZE } },
    });
    expect(another.status).toBe(201);
    expect((await abort()).status).toBe(204);
    const { body } = await api.call('GET', `/glimpse/v1/images/${session.image.id}/uploads`, { as: 'demo' });
    expect(body.uploads.map(({ state }: { state: string }) => state)).toEqual(['open', 'aborted']);
  });

  test('keeps its image from being written, imported and taken out of use otherwise', async () => {
    const { image } = await begun();
    const ask = async (path: string, body?: unknown) =>
      (await api.call('POST', `/v2/images/${image.id}/${path}`, { as: 'demo', body })).status;

    expect(await ask('import', { method: { name: 'glance-direct' } })).toBe(409);
    expect(await ask('import', { method: { name: 'web-download', uri: 'http://example.org/x' } })).toBe(409);
    expect(await ask('actions/deactivate')).toBe(403);
  });

  test('says its URLs in the answer that gives them, and nowhere else', async () => {
    const session = await begun();
    const [first] = (await signed(session)) as [Signed];
    const signature = new URL(first.url).searchParams.get('X-Amz-Signature') ?? '';
    await sendAll(await signed(session));
    const { text } = await show(session.to);
    const completed = await api.call('POST', `${session.to}/complete`, { as: 'demo' });
    const records = JSON.stringify([
      await api.deps.uploadSessions.list(session.image.id),
      await api.deps.images.get(session.image.id),
      await api.deps.duties.due(Number.MAX_SAFE_INTEGER / 10, 1000),
    ]);

    expect(signature).toMatch(/^[0-9a-f]{64}$/);
    for (const told of [text, completed.text, records, api.effects.join(), LOGGED.join()]) {
      expect(told).not.toContain('X-Amz-');
      expect(told).not.toContain(signature);
    }
  });
});
