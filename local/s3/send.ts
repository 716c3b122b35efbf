import { close, read, readSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { type BlobStore, sliceSegments, withBlob } from './store/blobs.ts';
import type { Segment } from './store/model.ts';

/** Bytes read and sent at a time; two such buffers alternate per response. */
const BUFFER_BYTES = 1024 * 1024;

/** Answers up to this size are read in place and sent with the headers in one write. */
const INLINE_BYTES = 64 * 1024;

/** Idle buffers kept for the next response. */
const MAX_IDLE_BUFFERS = 8;

/** A run of bytes of an object. */
export interface ObjectSlice {
  readonly segments: readonly Segment[];
  readonly start: number;
  readonly length: number;
}

const idle: Buffer[] = [];

function takeBuffer(): Buffer {
  return idle.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

function giveBack(buffer: Buffer): void {
  if (idle.length < MAX_IDLE_BUFFERS) idle.push(buffer);
}

/** Reads up to a buffer of bytes; at least one, or rejects: a blob shorter than its segment is damage. */
function readAsync(file: number, buffer: Buffer, offset: number, length: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, buffer, 0, Math.min(length, BUFFER_BYTES), offset, (error, count) => {
      if (error !== null) reject(error);
      else if (count === 0) reject(new Error(`blob ends before byte ${offset}`));
      else resolve(count);
    });
  });
}

function writeAsync(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** Reads the next buffer while the last one is on its way; a buffer is reused only after the socket let go of it. */
async function sendSegment(response: ServerResponse, file: number, offset: number, length: number): Promise<void> {
  let buffer = takeBuffer();
  let sending: { readonly buffer: Buffer; readonly done: Promise<void> } | undefined;
  for (let done = 0; done < length; ) {
    const count = await readAsync(file, buffer, offset + done, length - done);
    done += count;
    const spare = sending?.buffer ?? takeBuffer();
    await sending?.done;
    const flushed = writeAsync(response, buffer.subarray(0, count));
    flushed.catch(() => undefined);
    sending = { buffer, done: flushed };
    buffer = spare;
  }
  await sending?.done;
  giveBack(buffer);
  if (sending !== undefined) giveBack(sending.buffer);
}

function readInline(blobs: BlobStore, slices: readonly Segment[], length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let position = 0;
  for (const [id, offset, count] of slices) {
    const got = withBlob(blobs, id, (file) => readSync(file, bytes, position, count, offset));
    if (got !== count) throw new Error(`blob ${id} is shorter than ${offset + count} bytes`);
    position += count;
  }
  return bytes;
}

/**
 * Sends bytes of an object as the rest of a response whose head is set but not sent, and ends it. Small answers are one
 * write. Rejects when a blob cannot be read or the client left; before the first byte was sent an error can still be answered.
 */
export async function sendSlice(response: ServerResponse, blobs: BlobStore, slice: ObjectSlice): Promise<void> {
  const slices = sliceSegments(slice.segments, slice.start, slice.length);
  if (slice.length <= INLINE_BYTES) {
    const bytes = readInline(blobs, slices, slice.length);
    // The head is built first: built by end(), Node would re-decode a Content-Disposition beyond ASCII.
    response.writeHead(response.statusCode).end(bytes);
    return;
  }
  for (const [id, offset, length] of slices) {
    const file = blobs.open(id);
    try {
      await sendSegment(response, file, offset, length);
    } finally {
      close(file);
    }
  }
  response.end();
}
