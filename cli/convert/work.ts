/**
 * What one thread does: it takes slices until none are left. All file calls are blocking, which is what a thread of its
 * own is for. `worker.ts` runs this in threads, `crew.ts` on the main thread beside them.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { placeBodies } from '../../formats/convert/assembly.ts';
import { encodeSlice, type Workspace, workspace } from '../../formats/convert/blocks.ts';
import { assertRatio } from '../../formats/convert/guard.ts';
import { renderedImage } from '../../formats/convert/placed.ts';
import { assertPlanFits, type ConversionPlan, sliceRange } from '../../formats/convert/plan.ts';
import { renderRawSlice } from '../../formats/convert/raw.ts';
import type { DiskImage } from '../../formats/engine/image.ts';
import type { ByteSource } from '../../formats/engine/source.ts';
import { isZero } from '../../formats/node/codecs/bytes.ts';
import { blockingFileSource, type FileSource, unclosed } from '../../formats/node/file-source.ts';
import { openImage } from '../../formats/registry.ts';
import { writerOf } from '../../formats/writers.ts';
import { addData, addDone, nextSlice, type SharedState, takeTurn } from './shared.ts';

/** What a thread is given. `output` is the path of a file that exists. */
export interface Assignment {
  readonly input: string;
  readonly output: string;
  readonly plan: ConversionPlan;
  readonly maxRatio: number;
  readonly state: SharedState;
}

/** Bytes rendered, tested and written at a time for raw results, a whole part of a slice: stays in the processor's cache. */
const RAW_PIECE = 1024 * 1024;
/** A compressed block is decoded once when it is read whole; larger blocks, of VHDX, are stored as they are. */
export const MAX_CODED_BLOCK = 2 * 1024 * 1024;
/** Zeros are left out of raw results in runs of whole blocks of this size. */
const ZERO_BLOCK = 64 * 1024;

/** One thread's share of a conversion, with files and memory of its own. */
export class Work {
  readonly #assignment: Assignment;
  readonly #source: FileSource;
  readonly #image: DiskImage;
  readonly #output: number;
  readonly #memory: Workspace;

  private constructor(assignment: Assignment, source: FileSource, image: DiskImage) {
    const { plan, output } = assignment;
    this.#assignment = assignment;
    this.#source = source;
    this.#image = image;
    this.#output = openSync(output, 'r+');
    const piece = image.blockSize === MAX_CODED_BLOCK ? MAX_CODED_BLOCK : RAW_PIECE;
    this.#memory =
      writerOf(plan.target).tables === undefined
        ? { guest: Buffer.allocUnsafeSlow(piece), packed: new Uint8Array(0) }
        : workspace(plan);
  }

  /**
   * @param given what is read instead of the file
   * @throws SourceChanged when the file is not the one that was planned for; what opening it throws
   */
  static async open(assignment: Assignment, given?: ByteSource): Promise<Work> {
    const source = given === undefined ? blockingFileSource(assignment.input) : unclosed(given);
    try {
      assertPlanFits(assignment.plan, source);
      const image = await openImage(source, assignment.plan.source.format);
      return new Work(assignment, source, renderedImage(image, assignment.plan));
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    closeSync(this.#output);
    await this.#source.close();
  }

  /** Works until no slice is left. Between slices the event loop of the thread goes round: signals and timers get in. */
  async run(): Promise<void> {
    const { plan, state } = this.#assignment;
    const placed = writerOf(plan.target).tables === undefined;
    for (let slice = nextSlice(state, plan); slice !== undefined; slice = nextSlice(state, plan)) {
      if (placed) await this.#writeRaw(slice);
      else await this.#writeEncoded(slice);
      addDone(state);
      await yieldToEvents();
    }
  }

  /** Renders a slice in pieces, which steps render whole. Pieces stay in the processor's cache, holes between them are not touched. */
  async #writeRaw(slice: number): Promise<void> {
    const { plan } = this.#assignment;
    const { guest } = this.#memory;
    const pieces = { ...plan, sliceSize: guest.length, sliceCount: Math.ceil(plan.virtualSize / guest.length) };
    const { start, length } = sliceRange(plan, slice);
    if ((await this.#survey(slice)) === 0) return;
    for (let at = start; at < start + length; at += guest.length) {
      const bytes = await renderRawSlice(this.#image, pieces, at / guest.length, guest);
      if (bytes !== null) writeNonZero(this.#output, bytes, at);
    }
  }

  /** Encodes a slice and puts its bodies where they belong, as `assemble` will find from the same lengths. */
  async #writeEncoded(slice: number): Promise<void> {
    const { plan, state } = this.#assignment;
    await this.#survey(slice);
    const { index, plain, packed } = await encodeSlice(this.#image, plan, slice, this.#memory);
    state.index.set(index, slice * (plan.sliceSize / plan.target.blockSize));
    const placesAt = (at: number) => placeBodies(plan, at, plain.length, packed.length);
    const at = await takeTurn(state, slice, (end) => placesAt(end).end);
    if (at === undefined) return;
    const { plainOffset, packedOffset } = placesAt(at);
    writeAll(this.#output, plain, plainOffset);
    writeAll(this.#output, packed, packedOffset);
  }

  /** Bytes of the slice that are stored; they are counted. @throws LimitExceeded when the image expands beyond the limit */
  async #survey(slice: number): Promise<number> {
    const { plan, maxRatio, state } = this.#assignment;
    const { start, length } = sliceRange(plan, slice);
    let data = 0;
    for await (const extent of this.#image.extents(start, start + length)) {
      if (!extent.zero) data += extent.length;
    }
    assertRatio(addData(state, data), plan.source.size, maxRatio);
    return data;
  }
}

/** Writes the blocks that are not all zero, in runs. */
function writeNonZero(descriptor: number, bytes: Uint8Array, offset: number): void {
  let runStart = -1;
  for (let at = 0; at < bytes.length; at += ZERO_BLOCK) {
    const zero = isZero(bytes.subarray(at, at + ZERO_BLOCK));
    if (!zero && runStart < 0) runStart = at;
    if (zero && runStart >= 0) {
      writeAll(descriptor, bytes.subarray(runStart, at), offset + runStart);
      runStart = -1;
    }
  }
  if (runStart >= 0) writeAll(descriptor, bytes.subarray(runStart), offset + runStart);
}

/** `write` may take less than it is given. */
export function writeAll(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
  }
}
