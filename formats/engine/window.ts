import type { DiskImage, ProbeWindow } from './image.ts';
import { assertWithin, type ByteSource, fill } from './source.ts';

/** Head: the ISO descriptors reach to 34 KiB, LUKS2 and partition tables stay below. Tail: VMDK footer 1536. */
const HEAD_BYTES = 68 * 1024;
const TAIL_BYTES = 1536;

/** Reads both ends of an object, in two reads at most. */
export async function probeWindow(source: ByteSource): Promise<ProbeWindow> {
  const { size } = source;
  const headLength = Math.min(HEAD_BYTES, size);
  const tailLength = Math.min(TAIL_BYTES, size);
  const head = await source.read(0, headLength);
  const inHead = size <= headLength;
  const tail = inHead ? head.subarray(size - tailLength) : await source.read(size - tailLength, tailLength);
  return { head, tail, size };
}

/**
 * The same source with both ends answered from memory, so that detectors and parsers cost no second read, and with a
 * signal that ends work before the next read.
 */
export function windowedSource(source: ByteSource, window: ProbeWindow, signal?: AbortSignal): ByteSource {
  const { head, tail } = window;
  const tailAt = source.size - tail.length;
  const kept = (offset: number, length: number): Uint8Array | undefined => {
    if (offset + length <= head.length) return head.subarray(offset, offset + length);
    return offset >= tailAt ? tail.subarray(offset - tailAt, offset - tailAt + length) : undefined;
  };
  return {
    size: source.size,
    ...(source.etag === undefined ? {} : { etag: source.etag }),
    ...(source.gapBytes === undefined ? {} : { gapBytes: source.gapBytes }),
    async read(offset, length) {
      signal?.throwIfAborted();
      assertWithin(source, offset, length);
      return kept(offset, length) ?? source.read(offset, length);
    },
    async readInto(offset, target) {
      signal?.throwIfAborted();
      assertWithin(source, offset, target.length);
      const bytes = kept(offset, target.length);
      if (bytes === undefined) await fill(source, offset, target);
      else target.set(bytes);
    },
  };
}

/** The guest's bytes of an image as a source: what a detector of nested content or a partition table reads. */
export function imageSource(image: DiskImage): ByteSource {
  return {
    size: image.virtualSize,
    async read(offset, length) {
      assertWithin({ size: image.virtualSize }, offset, length, 'guest read');
      const target = new Uint8Array(length);
      await image.readInto(offset, target, true);
      return target;
    },
    readInto: (offset, target) => image.readInto(offset, target),
  };
}
