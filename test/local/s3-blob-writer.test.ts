import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AwsChunkedDecoder } from '../../local/s3/body/aws-chunked.ts';
import { BlobWriter } from '../../local/s3/body/blob-writer.ts';
import { BlobStore } from '../../local/s3/store/blobs.ts';
import { sampleBytes } from '../support/s3-process.ts';

const MIB = 1024 * 1024;
let dir: string;
let blobs: BlobStore;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'glimpse-blobs-'));
  blobs = new BlobStore(dir);
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A store whose files cannot be written, like those of a full disk. */
class UnwritableBlobs extends BlobStore {
  override create(): { readonly id: string; readonly file: number } {
    const { id, file } = super.create();
    closeSync(file);
    return { id, file: openSync(join(dir, id.slice(0, 2), id), 'r') };
  }
}

it('reports a failed write even when nobody was waiting for it', async () => {
  const writer = new BlobWriter(new UnwritableBlobs(dir), false);
  writer.push(sampleBytes(MIB));
  await writer.room();
  // Long enough for the write to fail before anyone awaits it; the outcome must be the same if it is not.
  await new Promise((resolve) => setTimeout(resolve, 50));

  await expect(writer.finish()).rejects.toThrow(/EBADF/);
  await writer.discard();
});

it('reports a failed write to the next one who pushes', async () => {
  const writer = new BlobWriter(new UnwritableBlobs(dir), false);
  const pushAll = async (): Promise<void> => {
    for (let i = 0; i < 4; i += 1) {
      writer.push(sampleBytes(MIB));
      await writer.room();
    }
  };

  await expect(pushAll()).rejects.toThrow(/EBADF/);
  await writer.discard();
});

it('closes its file once, so that a later discard cannot close another', async () => {
  const writer = new BlobWriter(blobs, false);
  writer.push(Buffer.from('body'));
  await writer.finish();
  const other = openSync(join(dir, 'other'), 'w');

  await writer.discard();

  expect(fstatSync(other).isFile()).toBe(true);
  closeSync(other);
});

it('writes batches in order', async () => {
  const body = sampleBytes(5 * MIB + 777);
  const writer = new BlobWriter(blobs, false);
  for (let at = 0; at < body.length; at += 60_000) {
    writer.push(body.subarray(at, at + 60_000));
    await writer.room();
  }

  const [segment] = await writer.finish();

  expect(segment?.slice(1)).toEqual([0, body.length]);
  expect(readFileSync(join(dir, segment![0].slice(0, 2), segment![0])).equals(body)).toBe(true);
});

it.each([1, 2, 3, 7, 1000])('decodes aws-chunked bodies cut into pieces of %i bytes', (size) => {
  const encoded = Buffer.from(
    `5\r\nhello\r\n6;chunk-signature=${'a'.repeat(64)}\r\n world\r\n0\r\nx-amz-checksum-crc32: DUoRhQ==\r\n\r\n`,
  );
  const found: Buffer[] = [];
  const decoder = new AwsChunkedDecoder((bytes) => found.push(bytes));

  for (let at = 0; at < encoded.length; at += size) decoder.push(encoded.subarray(at, at + size));
  decoder.finish();

  expect(Buffer.concat(found).toString()).toBe('hello world');
  expect(decoder.trailers.get('x-amz-checksum-crc32')).toBe('DUoRhQ==');
});

it.each([
  '',
  '5\r\nhel',
  '5\r\nhello\r\n',
  '5\r\nhello!\r\n0\r\n\r\n',
  'x\r\n',
  '-1\r\n',
  'fffffffffffff\r\n',
  '0\r\n\r\nmore\r\n',
])('refuses the broken aws-chunked body %j', (text) => {
  const decoder = new AwsChunkedDecoder(() => undefined);

  expect(() => {
    decoder.push(Buffer.from(text));
    decoder.finish();
  }).toThrow();
});
