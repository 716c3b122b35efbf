/** Parts against a store that does what networks and stores do: damages, breaks, forgets, answers late, ends URLs. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { crc32Header } from '../../../bytes/crc32.ts';
import type { Part } from '../../../cli/upload/parts.ts';
import { type PartPlace, sendParts, UploadGone } from '../../../cli/upload/send-parts.ts';

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, n) => n % 251));
const PART = 300;
const FAST = { most: 4, firstPauseMs: 1, longestPauseMs: 2 };
const source = {
  read: async (offset: number, length: number) => BYTES.subarray(offset, offset + length),
  assertUnchanged: () => undefined,
};

type Trouble = (number: number, nth: number, response: ServerResponse, request: IncomingMessage) => boolean;

let server: Server | undefined;
afterEach(() => server?.close());

/** A store in memory. @param trouble true when it has answered, or will not */
async function store(trouble: Trouble = () => false, before: readonly Part[] = []) {
  const parts = new Map<number, Buffer>();
  const tries = new Map<number, number>();
  const signed: Part[] = [];
  server = createServer(async (request, response) => {
    const number = Number(request.url?.split('/')[1]);
    const nth = (tries.get(number) ?? 0) + 1;
    tries.set(number, nth);
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    if (trouble(number, nth, response, request)) return;
    const body = Buffer.concat(pieces);
    const isGood = request.headers['x-amz-checksum-crc32'] === crc32Header(crc32(body));
    if (isGood) parts.set(number, body);
    response.writeHead(isGood ? 200 : 400).end(isGood ? '' : '<Error><Code>BadDigest</Code></Error>');
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const place: PartPlace = {
    size: BYTES.length,
    partSize: PART,
    present: async () => before,
    sign: async (wanted) => {
      signed.push(...wanted);
      return wanted.map(({ number, crc32: sum }) => ({
        number,
        method: 'PUT',
        url: `http://127.0.0.1:${port}/${number}`,
        headers: { 'x-amz-checksum-crc32': sum, host: 'elsewhere' },
      }));
    },
  };
  const content = (): Buffer => Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
  return { place, parts, tries, signed, content };
}

test('every part arrives once, the last one with what is left', async () => {
  const { place, tries, content } = await store();
  const seen: number[] = [];

  await sendParts(place, source, { tries: FAST, onProgress: (_phase, done) => seen.push(done) });

  expect(content()).toEqual(BYTES);
  expect([...tries.values()]).toEqual([1, 1, 1, 1]);
  expect(seen.at(-1)).toBe(BYTES.length);
});

const refuse = (status: number, code: string) => (response: ServerResponse) =>
  response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);

test.each([
  ['a URL that has expired', refuse(403, 'AccessDenied')],
  ['bytes that were damaged on their way', refuse(400, 'BadDigest')],
  ['a store that is busy', refuse(503, 'SlowDown')],
  ['a connection that breaks', (response: ServerResponse) => response.destroy()],
])('%s: the part is sent again, by another URL', async (_what, fail) => {
  const { place, tries, signed, content } = await store((number, nth, response) => {
    if (number !== 2 || nth > 2) return false;
    fail(response);
    return true;
  });
  const seen: number[] = [];

  await sendParts(place, source, { tries: FAST, onProgress: (_phase, done) => seen.push(done) });

  expect(content()).toEqual(BYTES);
  expect(tries.get(2)).toBe(3);
  expect(signed.filter(({ number }) => number === 2)).toHaveLength(3);
  // What did not arrive does not count.
  expect(Math.max(...seen)).toBe(BYTES.length);
});

test('a part that never arrives ends the upload with what the store said', async () => {
  const { place, tries } = await store((_number, _nth, response) => {
    refuse(500, 'InternalError')(response);
    return true;
  });

  await expect(sendParts(place, source, { tries: FAST, parallel: 1 })).rejects.toThrow('500 InternalError');
  expect(tries.get(1)).toBe(FAST.most);
});

test('an upload that the store does not know any more ends at once', async () => {
  const { place, tries } = await store((_number, _nth, response) => {
    refuse(404, 'NoSuchUpload')(response);
    return true;
  });

  await expect(sendParts(place, source, { tries: FAST, parallel: 1 })).rejects.toThrow(UploadGone);
  expect([...tries.values()]).toEqual([1]);
});

test('what is there counts when it is what the file holds, and is replaced when it is not', async () => {
  const part = (number: number, bytes: Uint8Array): Part => ({
    number,
    size: bytes.length,
    crc32: crc32Header(crc32(bytes)),
  });
  const { place, tries } = await store(undefined, [
    part(1, BYTES.subarray(0, PART)),
    part(2, Buffer.alloc(PART)),
    part(4, Buffer.alloc(7)),
  ]);

  await sendParts(place, source, { tries: FAST });

  expect([...tries.keys()].sort()).toEqual([2, 3, 4]);
});

test('a file that changes meanwhile ends it', async () => {
  const { place } = await store();
  const changing = {
    ...source,
    assertUnchanged: () => {
      throw new Error('changed');
    },
  };

  await expect(sendParts(place, changing, { tries: FAST })).rejects.toThrow('changed');
});
