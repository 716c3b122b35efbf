/** What arrives, against ranges that break, come twice or are wrong; on a real folder. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errorOf } from '../../../api/errors.ts';
import type { ImageAnswer } from '../../../api/images/answers.ts';
import { downloadImage } from '../../../cli/download/download.ts';
import type { Session } from '../../../cli/login/session.ts';

const CHUNK = 64 * 1024;
const BYTES = Buffer.concat([randomBytes(CHUNK + 5), Buffer.alloc(3 * CHUNK), randomBytes(CHUNK)]);
const IMAGE = {
  ...{ id: 'i1', status: 'active', size: BYTES.length, checksum: null, disk_format: 'raw' },
  ...{ os_hash_algo: 'sha512', os_hash_value: createHash('sha512').update(BYTES).digest('hex') },
} as unknown as ImageAnswer;
const FAST = { most: 3, firstPauseMs: 1, longestPauseMs: 2 };

let folder: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glimpse-download-'));
  out = join(folder, 'disk');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A service without links. @param give the bytes of a range, by the number of calls before */
function service(give: (start: number, end: number, calls: number) => Uint8Array) {
  const asked: number[] = [];
  const client = {
    createLink: async () => {
      throw errorOf(409, new Headers(), 'packed', 'POST links');
    },
    downloadImage: async ({ headers }: { readonly headers: { readonly range?: string } }) => {
      const [, start = 0, end = BYTES.length - 1] = /(\d+)-(\d+)/.exec(headers.range ?? '')?.map(Number) ?? [];
      const bytes = give(start, end + 1, asked.length);
      asked.push(start);
      return new Blob([Buffer.from(bytes)]).stream();
    },
  };
  return { asked, session: { client } as unknown as Session };
}

const options = { chunk: CHUNK, parallel: 2, tries: FAST, signal: new AbortController().signal };
const right = (start: number, end: number): Uint8Array => BYTES.subarray(start, end);

test('arrives whole, verified, and leaves nothing beside it', async () => {
  const { session } = service(right);

  await downloadImage(session, IMAGE, out, options);

  expect(readFileSync(out).equals(BYTES)).toBe(true);
  expect(existsSync(`${out}.part`) || existsSync(`${out}.part.json`) || existsSync(`${out}.part.lock`)).toBe(false);
});

test('a connection that ends early is gone on with from its last byte', async () => {
  const { session, asked } = service((start, end, calls) => right(start, calls === 0 ? start + 100 : end));

  await downloadImage(session, IMAGE, out, options);

  expect(readFileSync(out).equals(BYTES)).toBe(true);
  expect(asked).toContain(100);
});

test('the same call goes on where one that failed ended', async () => {
  const failing = service((start, end) => {
    if (start >= 3 * CHUNK) throw errorOf(403, new Headers(), 'no', 'GET file');
    return right(start, end);
  });
  await expect(downloadImage(failing.session, IMAGE, out, { ...options, parallel: 1 })).rejects.toThrow('403');
  expect(existsSync(out)).toBe(false);
  const { session, asked } = service(right);

  await downloadImage(session, IMAGE, out, options);

  expect(readFileSync(out).equals(BYTES)).toBe(true);
  expect(Math.min(...asked)).toBe(3 * CHUNK);
});

test('bytes that are not the image are thrown away', async () => {
  const { session } = service((start, end) => (start === 0 ? Buffer.alloc(end, 1) : right(start, end)));

  await expect(downloadImage(session, IMAGE, out, options)).rejects.toThrow('nothing of it is kept');
  expect(existsSync(out) || existsSync(`${out}.part`)).toBe(false);
});

test('is converted while it arrives, and appears when all of it was verified', async () => {
  const { session } = service(right);

  await downloadImage(session, IMAGE, out, { ...options, target: { target: 'qcow2' } });

  expect(readFileSync(out).subarray(0, 3).toString()).toBe('QFI');
  expect(existsSync(`${out}.part`)).toBe(false);

  const wrong = service((start, end) => (start === 0 ? Buffer.alloc(end, 1) : right(start, end)));
  const other = join(folder, 'other');
  await expect(
    downloadImage(wrong.session, IMAGE, other, { ...options, target: { target: 'qcow2' } }),
  ).rejects.toThrow();
  expect(existsSync(other)).toBe(false);
});
