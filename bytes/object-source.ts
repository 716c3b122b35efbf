import { Corrupt, SourceChanged } from '../formats/engine/errors.ts';
import { assertWithin, type ByteSource } from '../formats/engine/source.ts';
import type { ReadOptions, Store } from './store.ts';

export interface ObjectOptions {
  /** The version expected; learnt from the object when absent. */
  readonly etag?: string | undefined;
  /** Bytes, when known; with `etag` this saves a request. */
  readonly size?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * An object as random access: ranged GETs (`bytes=a-b`) of one version, continued when a body breaks off.
 * @throws NotFound, SourceChanged when it is not the version or size expected, BackendUnavailable
 */
export async function objectSource(store: Store, key: string, options: ObjectOptions = {}): Promise<ByteSource> {
  const { etag, size } = await versionOf(store, key, options);
  const fill = (offset: number, target: Uint8Array) =>
    readObject(store, key, offset, target, { etag, signal: options.signal });
  return { size, etag, ...exactReads(size, key, fill) };
}

/** Reads of a source of `size` bytes that is read by filling memory. @param what is read, for the message of Truncated */
export function exactReads(
  size: number,
  what: string,
  fill: (offset: number, target: Uint8Array) => Promise<void>,
): Required<Pick<ByteSource, 'read' | 'readInto'>> {
  return {
    async read(offset, length) {
      assertWithin({ size }, offset, length, what);
      const target = Buffer.allocUnsafeSlow(length);
      await fill(offset, target);
      return target;
    },
    async readInto(offset, target) {
      assertWithin({ size }, offset, target.length, what);
      await fill(offset, target);
    },
  };
}

/** Fills `target` from byte `offset` of an object. @throws as `Store.readRange` */
export async function readObject(
  store: Store,
  key: string,
  offset: number,
  target: Uint8Array,
  options: ReadOptions,
): Promise<void> {
  if (target.length === 0) return;
  await fillFrom(store.readRange(key, offset, offset + target.length, options), target);
}

/** Fills memory with the chunks of a read, which has as many bytes. @throws what the read throws */
export async function fillFrom(batches: AsyncIterable<readonly Uint8Array[]>, target: Uint8Array): Promise<void> {
  let at = 0;
  for await (const batch of batches) {
    for (const chunk of batch) {
      target.set(chunk, at);
      at += chunk.length;
    }
  }
}

async function versionOf(
  store: Store,
  key: string,
  options: ObjectOptions,
): Promise<{ readonly etag: string; readonly size: number }> {
  if (options.etag !== undefined && options.size !== undefined) return { etag: options.etag, size: options.size };
  const found = await store.headObject(key, options.signal);
  if (options.size !== undefined && found.size !== options.size) {
    throw new SourceChanged(`${store.id}: ${key}: ${found.size} bytes where ${options.size} were recorded`);
  }
  return { etag: options.etag ?? found.etag, size: found.size };
}

/** A whole object of at most `maxBytes`. @throws Corrupt when it is larger; as `readObject` */
export async function readWhole(
  store: Store,
  key: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<{ readonly bytes: Buffer; readonly etag: string }> {
  const { etag, size } = await store.headObject(key, signal);
  if (size > maxBytes) throw new Corrupt(`${store.id}: ${key}: ${size} bytes, ${maxBytes} at most are expected`);
  const bytes = Buffer.allocUnsafeSlow(size);
  await readObject(store, key, 0, bytes, { etag, signal });
  return { bytes, etag };
}
