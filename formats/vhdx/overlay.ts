import { LimitExceeded } from '../engine/errors.ts';
import type { ByteSource } from '../engine/source.ts';
import { fill } from '../engine/source.ts';

/** A write to the file that the file does not show yet; without bytes it writes zeros. */
export interface Patch {
  readonly offset: number;
  readonly length: number;
  readonly bytes?: Uint8Array;
}

/** Far above a log of Hyper-V or qemu (1 MiB: some hundred pages); bounds the time of `add`. */
const MAX_PATCHES = 16_384;

/** Writes in order of file offset, none over another: a later one replaces what it covers of earlier ones. */
export class PatchList {
  readonly #patches: Patch[] = [];
  #added = 0;

  /** @throws LimitExceeded */
  add(patch: Patch): void {
    if (patch.length === 0) return;
    if (++this.#added > MAX_PATCHES) throw new LimitExceeded(`VHDX log: more than ${MAX_PATCHES} descriptors`);
    const end = patch.offset + patch.length;
    const from = this.#firstEndingAfter(patch.offset);
    let to = from;
    const pieces: Patch[] = [];
    for (let old = this.#patches[to]; old !== undefined && old.offset < end; old = this.#patches[++to]) {
      if (old.offset < patch.offset) pieces.push(cut(old, old.offset, patch.offset));
      if (old.offset + old.length > end) pieces.push(cut(old, end, old.offset + old.length));
    }
    pieces.push(patch);
    this.#patches.splice(from, to - from, ...pieces.sort((a, b) => a.offset - b.offset));
  }

  /** The writes that touch [offset, end), in order. */
  *within(offset: number, end: number): Iterable<Patch> {
    for (let i = this.#firstEndingAfter(offset); i < this.#patches.length; i++) {
      const patch = this.#patches[i];
      if (patch === undefined || patch.offset >= end) return;
      yield patch;
    }
  }

  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#patches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const patch = this.#patches[middle];
      if (patch !== undefined && patch.offset + patch.length <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function cut(patch: Patch, start: number, end: number): Patch {
  const bytes = patch.bytes?.subarray(start - patch.offset, end - patch.offset);
  return { offset: start, length: end - start, ...(bytes === undefined ? {} : { bytes }) };
}

/** The object as it would be with the writes applied. Nothing is written; the writes lie within the object. */
export function overlaySource(source: ByteSource, patches: PatchList): ByteSource {
  const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
    await fill(source, offset, target);
    const end = offset + target.length;
    for (const patch of patches.within(offset, end)) {
      const {
        offset: start,
        length,
        bytes,
      } = cut(patch, Math.max(patch.offset, offset), Math.min(patch.offset + patch.length, end));
      if (bytes === undefined) target.fill(0, start - offset, start - offset + length);
      else target.set(bytes, start - offset);
    }
  };
  return {
    size: source.size,
    ...(source.etag === undefined ? {} : { etag: source.etag }),
    ...(source.gapBytes === undefined ? {} : { gapBytes: source.gapBytes }),
    readInto,
    async read(offset, length) {
      const [first] = patches.within(offset, offset + length);
      if (first === undefined) return source.read(offset, length);
      const out = new Uint8Array(length);
      await readInto(offset, out);
      return out;
    },
  };
}
