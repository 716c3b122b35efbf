/** Downloads over several connections, and over connections that break: what is stored is what the server has, whatever it does. */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fetchSource } from '../../bytes/imports/fetch.ts';
import { openStored } from '../../bytes/stored-image.ts';
import { parseConfig } from '../../core/config.ts';
import { importTask } from '../../core/imports/report/import-task.ts';
import { createWeb } from '../../web/web.ts';
import { collect } from '../support/collect.ts';
import { anImage } from '../support/images.ts';
import { memoryDeps } from '../support/memory/deps.ts';
import { type S3Rig, startPlaces } from '../support/s3-places.ts';
import { aTask } from '../support/tasks.ts';
import { fileAt } from '../support/web-server.ts';

const PART = 16 * 1024 * 1024;
const FILE = randomBytes(2 * PART + 5);
const OTHER = randomBytes(2 * PART + 5);
const settings = (web_download: object = {}) => ({
  stores: [{ id: 'central', bucket: 'central' }],
  import_filtering_opts: { allow_private_addresses: true, allowed_ports: [], disallowed_ports: [9] },
  web_download,
});
let s3: S3Rig;

beforeAll(async () => {
  s3 = await startPlaces(parseConfig(settings()));
});
afterEach(() => s3.places.staging.removePrefix('plans/'));
afterAll(() => s3.close());

/** One attempt at the fetch of a task: what is stored, and what the task knows of it. */
async function fetched(uri: string, web_download?: object) {
  const records = memoryDeps(settings(web_download), { bytes: s3.places });
  const deps = { ...records, places: s3.places };
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare' });
  await deps.images.create(image);
  const id = `task-${image.id}`;
  const method = { name: 'web-download', uri } as const;
  await deps.tasks.create(
    aTask({ id, imageId: image.id, import: { method, stores: ['central'], allStoresMustSucceed: true, roles: [] } }),
  );
  const tools = { guard: async () => undefined, assertFits: () => undefined };
  await fetchSource(deps, await importTask(deps, id), tools, createWeb(deps.config));
  const { source, sourceDigests } = (await importTask(deps, id)).facts;
  const stored = source && (await openStored(s3.places, source));
  const bytes = Buffer.from((await stored?.read(0, source?.size ?? 0)) ?? []);
  return { bytes, sourceDigests, batches: await deps.tasks.batches(id) };
}

type Answer = (range: { start: number; end: number } | undefined, response: ServerResponse) => void;

const rangeOf = ({ headers }: IncomingMessage): { start: number; end: number } | undefined => {
  const [, start, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), end: last === '' || last === undefined ? FILE.length : Number(last) + 1 };
};

const headersOf = (length: number, etag = '"v1"') => ({
  ...{ etag, 'accept-ranges': 'bytes', 'content-length': length },
});

function give(response: ServerResponse, file: Buffer, range?: { start: number; end: number }, etag = '"v1"'): void {
  if (range === undefined) return void response.writeHead(200, headersOf(file.length, etag)).end(file);
  const part = file.subarray(range.start, range.end);
  const content = { 'content-range': `bytes ${range.start}-${range.end - 1}/${file.length}` };
  response.writeHead(206, { ...headersOf(part.length, etag), ...content }).end(part);
}

/** What each range is answered, after the first answer of all. */
const serving =
  (answer: Answer): RequestListener =>
  (request, response) => {
    const range = rangeOf(request);
    answer(range, response);
  };

const digestsOf = (file: Buffer) => ({
  md5: createHash('md5').update(file).digest('hex'),
  hash: { algo: 'sha512', value: createHash('sha512').update(file).digest('hex') },
});

describe('a server that gives parts', () => {
  it('gives them over several connections, and no more than are allowed; all are hashed in order', async () => {
    let open = 0;
    let most = 0;
    const held: (() => void)[] = [];
    const uri = await fileAt(
      serving((range, response) => {
        open += 1;
        most = Math.max(most, open);
        response.on('close', () => {
          open -= 1;
        });
        if (range === undefined) return give(response, FILE);
        // The first part comes only when all others were asked for.
        held.push(() => give(response, FILE, range));
        if (held.length === 2) for (const go of held.toReversed()) go();
      }),
    );

    const { bytes, sourceDigests, batches } = await fetched(uri, { connections: 3 });

    expect(bytes.equals(FILE)).toBe(true);
    expect(sourceDigests).toEqual(digestsOf(FILE));
    expect(most).toBe(3);
    expect(batches).toMatchObject([{ phase: 'fetch', bytesDone: FILE.length, bytesTotal: FILE.length }]);
  });

  it('is asked for no part where one connection is allowed', async () => {
    const asked: unknown[] = [];
    const uri = await fileAt((request, response) => {
      asked.push(request.headers.range);
      give(response, FILE, rangeOf(request));
    });

    const { bytes, sourceDigests } = await fetched(uri, { connections: 1 });

    expect(bytes.equals(FILE)).toBe(true);
    expect(sourceDigests).toEqual(digestsOf(FILE));
    expect(asked).toEqual([undefined]);
  });

  it.each<[string, Answer]>([
    ['all of it', (_, response) => give(response, FILE)],
    ['another part', (range, response) => give(response, FILE, { start: (range?.start ?? 0) + 1, end: FILE.length })],
    ['a part of another version', (range, response) => give(response, OTHER, range, '"v2"')],
    ['a part of what has no name', (range, response) => give(response, FILE, range, 'W/"v1"')],
    ['too many requests', (_, response) => void response.writeHead(429).end()],
    ['a redirect to where nothing may lead', (_, response) => redirect(response, 'http://127.0.0.1:9/disk')],
    ['nothing', (_, response) => void response.destroy()],
  ])('and then %s: one connection fetches all of it', async (_, answer) => {
    let ranges = 0;
    const uri = await fileAt(
      serving((range, response) => {
        // Of a rest, which one connection asks for, as of nothing.
        if (range === undefined || range.end === FILE.length) return give(response, FILE, range);
        ranges += 1;
        answer(range, response);
      }),
    );

    const { bytes } = await fetched(uri);

    expect(bytes.equals(FILE)).toBe(true);
    expect(ranges).toBeGreaterThan(0);
  });

  it('and has another version by then: all of that is stored, and nothing of before', async () => {
    let isFirst = true;
    const uri = await fileAt((_, response) => {
      give(response, isFirst ? FILE : OTHER, undefined, isFirst ? '"v1"' : '"v2"');
      isFirst = false;
    });

    const { bytes, sourceDigests } = await fetched(uri);

    expect(bytes.equals(OTHER)).toBe(true);
    expect(sourceDigests === undefined || sourceDigests.md5 === digestsOf(OTHER).md5).toBe(true);
  });

  it('is connected to by the rules of the first connection for each part', async () => {
    const uri = await fileAt(
      serving((range, response) => {
        if (range === undefined) return give(response, FILE);
        redirect(response, 'http://127.0.0.1:9/disk');
      }),
    );
    const controller = new AbortController();
    const { ranges } = await createWeb(parseConfig(settings())).open({ uri }, controller.signal);

    const read = collect(ranges?.read(0, 5) ?? fail());

    await expect(read).rejects.toThrow(/redirects to a place that is not allowed: .* port 9 is not allowed/);
    controller.abort();
  });

  it('gives no host more connections than one download may have, all downloads together', async () => {
    const uri = await fileAt((_, response) => give(response, FILE));
    const web = createWeb(parseConfig(settings({ connections: 4 })));
    const first = new AbortController();
    const second = new AbortController();
    const connections = async (controller: AbortController) =>
      (await web.open({ uri }, controller.signal)).ranges?.connections;

    expect(await connections(first)).toBe(4);
    expect(await connections(second)).toBe(1);
    first.abort();
    const third = new AbortController();
    expect(await connections(third)).toBe(4);
    second.abort();
    third.abort();
  });
});

describe('a connection', () => {
  /** Sends `bytes` of what is asked for, and then does what `end` does. */
  const upTo = (bytes: number, end: (response: ServerResponse) => void) => {
    const asked: [string | undefined, unknown][] = [];
    const listener: RequestListener = (request, response) => {
      asked.push([request.headers.range, request.headers['if-range']]);
      const range = rangeOf(request);
      if (asked.length > 1) return give(response, FILE, range);
      response.writeHead(200, { etag: '"v1"', 'content-length': FILE.length });
      response.write(FILE.subarray(0, bytes), () => end(response));
    };
    return { asked, listener };
  };

  it.each<[string, (response: ServerResponse) => void, object]>([
    ['breaks', (response) => response.destroy(), {}],
    ['stalls', () => undefined, { stall_timeout: 1 }],
  ])('that %s is followed by another, which goes on with the same version', async (_, end, web_download) => {
    const { asked, listener } = upTo(5_000_000, end);

    const { bytes, sourceDigests } = await fetched(await fileAt(listener), web_download);

    expect(bytes.equals(FILE)).toBe(true);
    expect(sourceDigests).toEqual(digestsOf(FILE));
    expect(asked[0]).toEqual([undefined, undefined]);
    expect(asked[1]?.[0]).toMatch(/^bytes=\d{4,}-$/);
    expect(asked[1]?.[1]).toBe('"v1"');
  });

  it('that breaks again and again ends the download', async () => {
    const uri = await fileAt((request, response) => {
      const { start = 0 } = rangeOf(request) ?? {};
      const content = { 'content-range': `bytes ${start}-${FILE.length - 1}/${FILE.length}` };
      response.writeHead(start === 0 ? 200 : 206, {
        ...{ etag: '"v1"', 'content-length': FILE.length - start },
        ...(start === 0 ? {} : content),
      });
      response.write(FILE.subarray(start, start + 1000), () => response.destroy());
    });

    await expect(fetched(uri)).rejects.toThrow(/the connection broke: ECONNRESET/);
  });

  it('that breaks while nothing names the version ends the download', async () => {
    const uri = await fileAt((_, response) => {
      response.writeHead(200, { 'content-length': FILE.length });
      response.write(FILE.subarray(0, 1000), () => response.destroy());
    });

    await expect(fetched(uri)).rejects.toThrow(/the connection broke: ECONNRESET/);
  });
});

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end();
}

function fail(): never {
  throw new Error('there are no ranges');
}
