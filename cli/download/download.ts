/** An image becomes a file: fetched in chunks, verified, and there whole or not at all; converted while it arrives where that is asked. */
import { renameSync } from 'node:fs';
import type { ImageAnswer } from '../../api/images/answers.ts';
import { DECLARABLE } from '../../formats/catalog.ts';
import type { TargetOptions } from '../../formats/convert/plan.ts';
import type { ByteSource } from '../../formats/engine/source.ts';
import { createDigester } from '../../formats/node/digest/digest.ts';
import { takeLock } from '../lock.ts';
import type { Session } from '../login/session.ts';
import type { Tries } from '../transfer/tries.ts';
import { Arrival } from './arrival.ts';
import { rangeReader } from './ranges.ts';
import { doneChunks, partFiles, removePart, writeDownloadState } from './state.ts';

export interface DownloadOptions {
  /** Converts to this format; absent: the image's bytes as they are. */
  readonly target?: TargetOptions | undefined;
  readonly parallel?: number | undefined;
  readonly signal: AbortSignal;
  readonly tries?: Tries;
  /** Bytes of a chunk; only tests need another. */
  readonly chunk?: number;
  onProgress?(phase: string, done: number, total: number): void;
}

/** What arrived is not what the service hashed when it stored the image. */
class WrongBytes extends Error {}

const CHUNK = 16 * 2 ** 20;
const LANES = 8;
/** Bytes that are hashed at a time, two of them in memory. */
const HASH_PIECE = 4 * 2 ** 20;

/**
 * @throws WrongBytes; FormatErrors of a conversion; the service's error kinds; the file system's errors (ENOSPC, …). What arrived is gone
 *   on with by the same call, but where the bytes were wrong
 */
export async function downloadImage(
  { client }: Session,
  image: ImageAnswer,
  out: string,
  options: DownloadOptions,
): Promise<void> {
  const { size, os_hash_value: hash } = image;
  if (size === null) throw new Error(`image ${image.id} is ${image.status}: it has no bytes`);
  const files = partFiles(out);
  const release = takeLock(files.lock);
  const { chunk = CHUNK } = options;
  let fetched = 0;
  const key = { image: image.id, hash, size, chunk };
  const arrival = await Arrival.open(rangeReader(client, image.id, size), {
    ...{ path: files.part, size, chunk, lanes: options.parallel ?? LANES, signal: options.signal },
    ...(options.tries && { tries: options.tries }),
    done: doneChunks(files.state, key),
    onProgress: (bytes) => {
      fetched = bytes;
      options.onProgress?.('fetching', bytes, size);
    },
    onSafe: (done) => writeDownloadState(files.state, { ...key, done }),
  });
  try {
    const source = arrival.source(`${image.id}-${hash}`);
    const verified = verify(source, image, options);
    const whole = Promise.all([arrival.run(), verified]);
    whole.catch(() => undefined);
    if (options.target !== undefined) {
      // One bar at a time: a conversion that keeps up with the network has nothing to tell.
      const onProgress = (phase: string, done: number, total: number): void =>
        fetched < size ? undefined : options.onProgress?.(phase, done, total);
      await convert(files.part, out, image, source, whole, { ...options, onProgress });
    }
    await whole;
    await arrival.close();
    if (options.target === undefined) renameSync(files.part, out);
    removePart(files);
  } catch (error) {
    if (error instanceof WrongBytes) removePart(files);
    throw error;
  } finally {
    await arrival.close();
    release();
  }
}

/** Hashes the bytes in their order, as they become readable. @throws WrongBytes */
async function verify(source: ByteSource, image: ImageAnswer, { signal }: DownloadOptions): Promise<void> {
  const { os_hash_algo: algorithm, os_hash_value: hash, checksum } = image;
  const [name, wanted] = algorithm !== null && hash !== null ? [algorithm, hash] : ['md5', checksum];
  if (wanted === null) return;
  const digester = createDigester([name]);
  try {
    const buffers = [0, 1].map(() => new Uint8Array(new SharedArrayBuffer(Math.min(HASH_PIECE, source.size))));
    const busy: Promise<void>[] = [];
    for (let at = 0, n = 0; at < source.size; at += HASH_PIECE, n++) {
      signal.throwIfAborted();
      await busy[n % 2];
      const target = (buffers[n % 2] as Uint8Array).subarray(0, Math.min(HASH_PIECE, source.size - at));
      await source.readInto?.(at, target);
      const update = digester.update(target);
      update.catch(() => undefined);
      busy[n % 2] = update;
    }
    await Promise.all(busy);
    const { [name]: got } = await digester.digest();
    if (got !== wanted)
      throw new WrongBytes(`${name} of what arrived is ${got}, the image's is ${wanted}: nothing of it is kept`);
  } catch (error) {
    digester.close();
    throw error;
  }
}

async function convert(
  part: string,
  out: string,
  image: ImageAnswer,
  source: ByteSource,
  whole: Promise<unknown>,
  { target, signal, onProgress }: DownloadOptions,
): Promise<void> {
  if (target === undefined) return;
  const { convertFile } = await import('../convert/job.ts');
  const declared = DECLARABLE.find((format) => format === image.disk_format);
  await convertFile(part, out, {
    ...{ target, source, signal, maxVirtualSize: Number.MAX_SAFE_INTEGER, maxRatio: Number.MAX_SAFE_INTEGER },
    ...(declared && { declared }),
    approve: async () => {
      await whole;
    },
    onProgress: (share, bytes) => onProgress?.('converting', share * bytes, bytes),
  });
}
