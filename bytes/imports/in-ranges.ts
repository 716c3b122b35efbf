import { FetchFailed } from '../../core/errors.ts';
import type { WebAnswer, WebRanges } from '../../core/imports/web.ts';
import { createBufferBudget } from '../buffer-budget.ts';
import { inLanes } from '../in-lanes.ts';
import type { OpenUpload } from '../noted-upload.ts';
import { partSize } from '../part-size.ts';
import { boundsOf, OWN_BUDGET } from '../plain-writer.ts';
import type { Store } from '../store.ts';
import type { Guard } from './step.ts';

/** A download whose server gives parts, each of which becomes one of the upload. */
export interface RangedDownload {
  readonly to: Store;
  readonly upload: OpenUpload;
  readonly response: WebAnswer & { readonly ranges: WebRanges };
  /** Bytes of the whole file. */
  readonly length: number;
  readonly guard: Guard;
  /** Sees all bytes in order, in shared memory, when the response is of all of them. */
  readonly tap: (bytes: Buffer) => Promise<void>;
  /** Told of each chunk, and of each part that stands already (without its bytes); `at` is where it begins in the file. */
  readonly onBytes: (bytes: number, at: number, chunk?: Uint8Array) => Promise<void>;
  /** Hangs up all connections: one part has failed. */
  readonly hangUp: () => void;
}

/** Bytes of a part, and how many may be on their way; one means: not worth it. */
export function rangesOf(to: Store, { length, offset, ranges }: WebAnswer): { partBytes: number; lanes: number } {
  const partBytes = partSize(0, boundsOf(to.abilities, createBufferBudget(OWN_BUDGET)), length);
  const left = Math.ceil(((length ?? 0) - offset) / partBytes);
  // Each lane has one part in memory: all of them find room at once, so that none holds a later part while an earlier one waits.
  const fit = Math.max(1, Math.floor(OWN_BUDGET / partBytes));
  return { partBytes, lanes: Math.min(ranges?.connections ?? 1, fit, left) };
}

/**
 * Fetches the parts behind `response.offset` over several connections, the response's own body being the first of them, and makes the
 * object. What was stored stays when it fails.
 * @returns its ETag
 * @throws FetchFailed; BackendUnavailable; what `guard` and `tap` throw
 */
export async function inRanges(download: RangedDownload): Promise<string> {
  const { to, upload, response, length, guard, tap, onBytes, hangUp } = download;
  const { partBytes, lanes } = rangesOf(to, response);
  const budget = createBufferBudget(OWN_BUDGET);
  const first = Math.floor(response.offset / partBytes);
  const inTurn = queue();
  const fetchPart = async (n: number, start: number, part: Buffer): Promise<void> => {
    const body = n === first ? response.body : response.ranges.read(start, start + part.length);
    await fill(part, body, (chunk, at) => onBytes(chunk.length, start + at, chunk));
  };
  await inLanes({ count: Math.ceil(length / partBytes) - first, lanes }, async (lane) => {
    const n = first + lane;
    const start = n * partBytes;
    const bytes = Math.min(partBytes, length - start);
    if (n !== first && upload.parts.get(n) === bytes) return onBytes(bytes, start);
    const filled = Promise.withResolvers<Buffer>();
    // Nobody's turn comes behind a part that failed.
    filled.promise.catch(() => undefined);
    const tapped = inTurn(async () => tap(await filled.promise));
    const buffer = await budget.take(partBytes);
    const part = buffer.subarray(0, bytes);
    try {
      await fetchPart(n, start, part);
      await guard();
      filled.resolve(part);
      await Promise.all([upload.multipart.putPart(n, part), tapped]);
    } catch (error) {
      hangUp();
      filled.reject(error);
      throw error;
    } finally {
      await Promise.allSettled([tapped]);
      budget.give(buffer);
    }
  });
  await guard();
  return upload.multipart.complete();
}

/** Runs work one after another, in the order it came; behind one that failed, none. */
function queue(): (work: () => Promise<void>) => Promise<void> {
  let last = Promise.resolve();
  return (work) => {
    last = last.then(work);
    last.catch(() => undefined);
    return last;
  };
}

/** @throws FetchFailed when the body ends before the buffer is full */
async function fill(
  buffer: Buffer,
  body: AsyncIterable<Uint8Array>,
  onChunk: (chunk: Uint8Array, at: number) => Promise<void>,
): Promise<void> {
  let at = 0;
  for await (const chunk of body) {
    const taken = chunk.subarray(0, buffer.length - at);
    buffer.set(taken, at);
    await onChunk(taken, at);
    at += taken.length;
    // The first body goes on to the end of the file: what is behind the part comes over other connections.
    if (at === buffer.length) return;
  }
  throw new FetchFailed(`The server gave ${at} bytes of a part of ${buffer.length}`);
}
