import { Truncated } from './errors.ts';

/**
 * Random access to an immutable object of known size: the only way bytes enter the engine.
 * Implementations: memory (below), file (`formats/node/file-source.ts`), a stored object (`bytes/object-source.ts`), a sub-range of another source.
 */
export interface ByteSource {
  /** Bytes in the object. */
  readonly size: number;
  /** Opaque version of the object (S3 ETag, file identity); plans carry it. Absent when the source has none. */
  readonly etag?: string;
  /**
   * Bytes that arrive in the time one more read would cost: joined reads bridge gaps up to this. Absent: as for a range
   * GET, 128 KiB (coalesce.ts). A local file says 0.
   */
  readonly gapBytes?: number;
  /**
   * Exactly `length` bytes from `offset` (both bytes, safe integers >= 0).
   * @throws Truncated when `offset + length > size`. The returned view may share memory and must not be written to.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The same bytes put into `target` (all of it) without a copy between; call it through `fill`. Absent when the source cannot. */
  readInto?(offset: number, target: Uint8Array): Promise<void>;
}

/** Fills `target` from `offset`, without a copy where the source can. @throws Truncated as `read` does */
export async function fill(source: ByteSource, offset: number, target: Uint8Array): Promise<void> {
  if (source.readInto !== undefined) return source.readInto(offset, target);
  target.set(await source.read(offset, target.length));
}

/** @throws Truncated unless [offset, offset + length) lies within the source. */
export function assertWithin(source: { readonly size: number }, offset: number, length: number, what = 'read'): void {
  if (!(offset >= 0 && length >= 0 && offset <= source.size && length <= source.size - offset)) {
    throw new Truncated(`${what}: bytes ${offset}..${offset + length} lie outside the object of ${source.size} bytes`);
  }
}

/** A source over bytes in memory. */
export function memorySource(bytes: Uint8Array, etag?: string): ByteSource {
  return {
    size: bytes.length,
    gapBytes: 0,
    ...(etag === undefined ? {} : { etag }),
    async read(offset, length) {
      assertWithin({ size: bytes.length }, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** A window on another source, for a disk inside an archive. @throws Truncated when the window leaves the source. */
export function subSource(source: ByteSource, start: number, size: number): ByteSource {
  assertWithin(source, start, size, 'member');
  return {
    size,
    ...(source.etag === undefined ? {} : { etag: source.etag }),
    ...(source.gapBytes === undefined ? {} : { gapBytes: source.gapBytes }),
    async read(offset, length) {
      assertWithin({ size }, offset, length);
      return source.read(start + offset, length);
    },
    async readInto(offset, target) {
      assertWithin({ size }, offset, target.length);
      await fill(source, start + offset, target);
    },
  };
}

/** Sources one after another as one, for a file that is stored in pieces. A read over a border is copied together. */
export function joinedSource(parts: readonly ByteSource[]): ByteSource {
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.size;
  }
  const [first] = parts;
  /** Reads each part's share of [offset, offset + target.length). */
  async function readInto(offset: number, target: Uint8Array): Promise<void> {
    assertWithin({ size }, offset, target.length);
    const end = offset + target.length;
    for (const [i, part] of parts.entries()) {
      const start = starts[i] ?? 0;
      const from = Math.max(offset, start);
      const to = Math.min(end, start + part.size);
      if (from < to) await fill(part, from - start, target.subarray(from - offset, to - offset));
    }
  }
  return {
    size,
    ...(first?.etag === undefined ? {} : { etag: first.etag }),
    ...(first?.gapBytes === undefined ? {} : { gapBytes: first.gapBytes }),
    async read(offset, length) {
      assertWithin({ size }, offset, length);
      const whole = parts.findIndex((part, i) => {
        const start = starts[i] ?? 0;
        return offset >= start && offset + length <= start + part.size;
      });
      const part = parts[whole];
      if (part !== undefined) return part.read(offset - (starts[whole] ?? 0), length);
      const bytes = new Uint8Array(length);
      await readInto(offset, bytes);
      return bytes;
    },
    readInto,
  };
}
