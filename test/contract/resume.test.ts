/** Long steps that go on where another attempt was lost: over the embedded S3, and with a web server. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AWS_ABILITIES } from '../../aws/s3/bucket.ts';
import { createS3Store } from '../../aws/s3/store.ts';
import { copyStored } from '../../bytes/copy.ts';
import { fetchSource } from '../../bytes/imports/fetch.ts';
import { dataKey, stagedPrefix } from '../../bytes/keys.ts';
import { createPlaces } from '../../bytes/places.ts';
import { plainWriter } from '../../bytes/plain-writer.ts';
import { openStored } from '../../bytes/stored-image.ts';
import { parseConfig } from '../../core/config.ts';
import { importTask } from '../../core/imports/report/import-task.ts';
import { createWeb } from '../../web/web.ts';
import { anImage } from '../support/images.ts';
import { memoryDeps } from '../support/memory/deps.ts';
import { type S3Rig, startPlaces } from '../support/s3-places.ts';
import { aTask } from '../support/tasks.ts';
import { fileAt } from '../support/web-server.ts';

const MIB = 1024 * 1024;
const CONFIG = {
  stores: [{ id: 'central', bucket: 'central' }],
  import_filtering_opts: { allow_private_addresses: true, allowed_ports: [] },
};
let s3: S3Rig;

beforeAll(async () => {
  s3 = await startPlaces(parseConfig(CONFIG));
});
afterAll(() => s3.close());

/** Asked before each part: lets so many through, and then nothing more happens. */
function lostAfter(count: number): { readonly guard: () => Promise<void>; readonly lost: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let parts = 0;
  const guard = async (): Promise<void> => {
    if (++parts <= count) return;
    resolve();
    await new Promise(() => undefined);
  };
  return { guard, lost: promise };
}

/** Waits until so many parts of an unfinished upload stand; the suite's time limit ends what waits in vain. */
async function standing(key: string, id: string, count: number): Promise<void> {
  const store = s3.places.of(id);
  for (;;) {
    const notes = (await s3.keys('staging')).filter((name) => name.startsWith('plans/'));
    for (const note of notes) {
      const { uploadId } = JSON.parse(Buffer.from(await s3.places.staging.getObject(note)).toString()) as {
        uploadId: string;
      };
      const { parts } = (await store.resumeMultipart(key, uploadId)) ?? {};
      if (parts?.size === count) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('a copy in parts moves only those that do not stand', async () => {
  const { client } = s3.s3('central');
  const store = createS3Store({
    ...{ id: 'central', bucket: 'central', client, sparse: false, service: s3.endpoint },
    abilities: { ...AWS_ABILITIES, maxCopyBytes: 5 * MIB },
  });
  const places = createPlaces(s3.places.staging, [store]);
  const bytes = randomBytes(34 * MIB);
  const writer = plainWriter(s3.places.staging, 'from/');
  await writer.write(bytes);
  await writer.finish();
  const from = { place: 'staging', prefix: 'from/', layout: 'plain', size: bytes.length } as const;
  const noteKey = 'plans/copied/u/copy:central.json';
  const { guard, lost } = lostAfter(3);
  void copyStored(places, from, store, 'to/', { guard, noteKey });
  await lost;
  await standing('to/data', 'central', 3);
  let copied = 0;
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'UploadPartCopyCommand') copied += 1;
        return next(args);
      },
    { step: 'build', name: 'count' },
  );

  await copyStored(places, from, store, 'to/', { noteKey, isRetry: true });

  client.middlewareStack.remove('count');
  expect(copied).toBe(7 - 3);
  const read = await openStored(places, { ...from, place: 'central', prefix: 'to/' });
  expect(Buffer.from(await read.read(0, bytes.length)).equals(bytes)).toBe(true);
  await s3.places.staging.removePrefix('plans/');
});

describe('a download', () => {
  const PART = 16 * MIB;
  const body = randomBytes(3 * PART + 5);

  /** An attempt at the fetch of a task; what it found is on the task. */
  async function fetching(uri: string) {
    const records = memoryDeps(CONFIG, { bytes: s3.places });
    const deps = { ...records, places: s3.places };
    const image = anImage({ diskFormat: 'raw', containerFormat: 'bare' });
    await deps.images.create(image);
    const id = `task-${image.id}`;
    const method = { name: 'web-download', uri } as const;
    await deps.tasks.create(
      aTask({ id, imageId: image.id, import: { method, stores: ['central'], allStoresMustSucceed: true, roles: [] } }),
    );
    const attempt = async (guard: () => Promise<void> = async () => undefined) => {
      const tools = { guard, assertFits: () => undefined };
      await fetchSource(deps, await importTask(deps, id), tools, createWeb(deps.config));
      return (await importTask(deps, id)).facts;
    };
    return { attempt, key: dataKey(stagedPrefix(image.id, id)) };
  }

  it('asks the server for the rest, by name, through its redirect', async () => {
    const asked: IncomingHttpHeaders[] = [];
    const uri = await fileAt((request, response) => {
      if (request.url === '/disk') return void response.writeHead(302, { location: '/mirror' }).end();
      asked.push(request.headers);
      const [, start = 0, last = body.length - 1] = (
        /^bytes=(\d+)-(\d+)?$/.exec(request.headers.range ?? '') ?? []
      ).map((text) => (text === undefined ? undefined : Number(text)));
      const isRest = start > 0 && request.headers['if-range'] === '"v1"';
      response.writeHead(isRest ? 206 : 200, {
        etag: '"v1"',
        'content-length': last + 1 - start,
        ...(isRest ? { 'content-range': `bytes ${start}-${last}/${body.length}` } : {}),
      });
      response.end(body.subarray(start, last + 1));
    });
    const { attempt, key } = await fetching(uri);
    const { guard, lost } = lostAfter(2);
    void attempt(guard).catch(() => undefined);
    await lost;
    await standing(key, 'staging', 2);

    const { source, sourceDigests } = await attempt();

    expect(asked.map(({ range, 'if-range': name }) => [range, name])).toEqual([
      [undefined, undefined],
      [`bytes=${2 * PART}-`, '"v1"'],
      // A server that gives a rest gives parts of it, over several connections.
      [`bytes=${3 * PART}-${3 * PART + 4}`, '"v1"'],
    ]);
    expect(source).toMatchObject({ size: body.length });
    // Half of it was hashed by nobody who lives: Hash reads all of it.
    expect(sourceDigests).toBeUndefined();
    const stored = source && (await openStored(s3.places, source));
    expect(Buffer.from((await stored?.read(0, body.length)) ?? []).equals(body)).toBe(true);
    await s3.places.staging.removePrefix('plans/');
  });
});

describe('what a server gives of the rest of a file', () => {
  const TEXT = Buffer.from('0123456789');
  const signal = new AbortController().signal;
  const web = createWeb(parseConfig(CONFIG));
  const rest = { offset: 4, validator: '"v1"', length: 10 };
  const whole = { offset: 0, text: '0123456789' };

  const partial = (range: string, etag = '"v1"') => ({ status: 206, headers: { etag, 'content-range': range } });

  it.each([
    ['the rest', partial('bytes 4-9/10'), { offset: 4, text: '456789' }],
    ['the rest of another version', partial('bytes 4-9/10', '"v2"'), whole],
    ['the rest of what has no name', { status: 206, headers: { 'content-range': 'bytes 4-9/10' } }, whole],
    ['a part that begins elsewhere', partial('bytes 3-9/10'), whole],
    ['a part that ends before the end', partial('bytes 4-8/10'), whole],
    ['the rest of a longer file', partial('bytes 4-9/11'), whole],
    ['several parts', { status: 206, headers: { etag: '"v1"', 'content-type': 'multipart/byteranges' } }, whole],
    ['no part of it', { status: 416, headers: { 'content-range': 'bytes */10' } }, whole],
    ['all of it', { status: 200, headers: { etag: '"v2"' } }, whole],
  ])('%s', async (_, { status, headers }, expected) => {
    const uri = await fileAt((request, response) => {
      const isRanged = request.headers.range !== undefined;
      response.writeHead(isRanged ? status : 200, isRanged ? headers : { etag: '"v2"' });
      response.end(isRanged && status === 206 ? TEXT.subarray(4) : TEXT);
    });

    const { offset, body } = await web.open({ uri }, signal, rest);

    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    expect({ offset, text: Buffer.concat(chunks).toString() }).toEqual(expected);
  });

  const at = (text: string) => new Date(text).toUTCString();
  const date = at('2026-05-05T12:00:00Z');
  it.each([
    ['a strong ETag', { etag: '"v1"', 'last-modified': date, date }, '"v1"'],
    ['no weak one', { etag: 'W/"v1"', 'last-modified': at('2020-01-01'), date }, undefined],
    [
      'when it was changed, long ago',
      { 'last-modified': at('2026-05-05T11:59:00Z'), date },
      at('2026-05-05T11:59:00Z'),
    ],
    ['not when that was a moment ago', { 'last-modified': at('2026-05-05T11:59:30Z'), date }, undefined],
    ['nothing', {}, undefined],
  ])('is asked for by %s', async (_, headers, validator) => {
    const uri = await fileAt((_request, response) => void response.writeHead(200, headers).end(TEXT));

    expect(await web.open({ uri }, signal)).toMatchObject({ validator });
  });
});
