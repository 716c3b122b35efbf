/**
 * What one thread does: it takes slices until none are left. All file calls are blocking, which is what a thread of its
 * own is for. `worker.ts` runs this in threads, `job.ts` on the main thread when there is little to do.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { isZero } from '../../formats/bytes.ts';
import type { SlicePlaces } from '../../formats/convert/assembly.ts';
import { blocksOf, encodeSlice } from '../../formats/convert/blocks.ts';
import { assertRatio } from '../../formats/convert/guard.ts';
import { assertPlanFits, type ConversionPlan, sliceRange } from '../../formats/convert/plan.ts';
import { blockingFileSource, type FileSource } from '../../formats/file-source.ts';
import type { DiskImage } from '../../formats/image.ts';
import { openImage } from '../../formats/registry.ts';
import { addData, addDone, nextSlice, reserveScratch, type SharedState } from './shared.ts';

/** A phase of a conversion. Raw results have one; others encode bodies, then put them in their places. */
export type Phase =
  | { readonly kind: 'raw' }
  | { readonly kind: 'encode' }
  | { readonly kind: 'place'; readonly places: SlicePlaces };

/** What a thread is given. `output` and `scratch` are paths of files that exist. */
export interface Assignment {
  readonly input: string;
  readonly output: string;
  readonly scratch: string;
  readonly plan: ConversionPlan;
  readonly maxRatio: number;
  readonly state: SharedState;
}

/** Bytes read, tested and written at a time for raw results: stays in the processor's cache. */
const RAW_CHUNK = 1024 * 1024;
/** Zeros are left out of raw results in runs of whole blocks of this size. */
const ZERO_BLOCK = 64 * 1024;

/** One thread's share of a conversion; keeps its files open and its memory from phase to phase. */
export class Work {
  readonly #assignment: Assignment;
  readonly #source: FileSource;
  readonly #image: DiskImage;
  readonly #output: number;
  readonly #scratch: number | undefined;
  readonly #buffer: Buffer;

  private constructor(assignment: Assignment, source: FileSource, image: DiskImage) {
    const { plan, output, scratch } = assignment;
    this.#assignment = assignment;
    this.#source = source;
    this.#image = image;
    this.#output = openSync(output, 'r+');
    this.#scratch = plan.target.format === 'raw' ? undefined : openSync(scratch, 'r+');
    const room = plan.target.format === 'raw' ? Math.max(RAW_CHUNK, image.blockSize) : plan.sliceSize;
    this.#buffer = Buffer.allocUnsafeSlow(room);
  }

  /** @throws SourceChanged when the file is not the one that was planned for; what opening it throws */
  static async open(assignment: Assignment): Promise<Work> {
    const source = blockingFileSource(assignment.input);
    try {
      assertPlanFits(assignment.plan, source);
      return new Work(assignment, source, await openImage(source, assignment.plan.source.format));
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    closeSync(this.#output);
    if (this.#scratch !== undefined) closeSync(this.#scratch);
    await this.#source.close();
  }

  /** Works on a phase until no slice is left. */
  async run(phase: Phase): Promise<void> {
    const { plan, state } = this.#assignment;
    for (let slice = nextSlice(state, plan); slice !== undefined; slice = nextSlice(state, plan)) {
      if (phase.kind === 'raw') await this.#writeRaw(slice);
      else if (phase.kind === 'encode') await this.#encode(slice);
      else await this.#place(slice, phase.places);
    }
  }

  async #writeRaw(slice: number): Promise<void> {
    const { plan, state } = this.#assignment;
    const { start, length } = sliceRange(plan, slice);
    let data = 0;
    for await (const extent of this.#image.extents(start, start + length)) {
      if (extent.zero) continue;
      data += extent.length;
      await this.#copyExtent(extent.start, extent.length);
    }
    this.#count(data);
    addDone(state, length);
  }

  async #copyExtent(start: number, length: number): Promise<void> {
    for (let done = 0; done < length; ) {
      const chunk = this.#buffer.subarray(0, Math.min(this.#buffer.length, length - done));
      await this.#image.readInto(start + done, chunk);
      writeNonZero(this.#output, chunk, start + done);
      done += chunk.length;
    }
  }

  async #encode(slice: number): Promise<void> {
    const { plan, state } = this.#assignment;
    const { start, length } = sliceRange(plan, slice);
    const { data, compressed } = await this.#survey(start, start + length);
    this.#count(data);
    const encoded = await encodeSlice(this.#image, plan, slice, this.#buffer);
    state.index.set(encoded.index, slice * (plan.sliceSize / plan.target.blockSize));
    // Decoding twice costs more than writing twice; a plain read twice costs less.
    const keep = plan.target.compression !== 'none' || compressed;
    state.scratchOffset[slice] = keep ? this.#store(encoded.plain, encoded.packed) : -1;
    addDone(state, length);
  }

  #store(...bodies: readonly Uint8Array[]): number {
    const length = bodies.reduce((sum, body) => sum + body.length, 0);
    const offset = reserveScratch(this.#assignment.state, length);
    let at = offset;
    for (const body of bodies) {
      writeAll(this.#scratch ?? -1, body, at);
      at += body.length;
    }
    return offset;
  }

  async #survey(start: number, end: number): Promise<{ data: number; compressed: boolean }> {
    let data = 0;
    let compressed = false;
    for await (const extent of this.#image.extents(start, end)) {
      if (extent.zero) continue;
      data += extent.length;
      compressed ||= extent.compressed;
    }
    return { data, compressed };
  }

  async #place(slice: number, places: SlicePlaces): Promise<void> {
    const { plan, state } = this.#assignment;
    const plainLength = places.plainLength[slice] ?? 0;
    const packedLength = places.packedLength[slice] ?? 0;
    const kept = state.scratchOffset[slice] ?? -1;
    if (kept >= 0) {
      this.#copyScratch(kept, plainLength, places.plainOffset[slice] ?? 0);
      this.#copyScratch(kept + plainLength, packedLength, places.packedOffset[slice] ?? 0);
    } else if (plainLength > 0) {
      const { plain } = await encodeSlice(this.#image, plan, slice, this.#buffer);
      writeAll(this.#output, plain, places.plainOffset[slice] ?? 0);
    }
    addDone(state, Math.min(plan.sliceSize, blocksOf(plan, slice) * plan.target.blockSize));
  }

  #copyScratch(from: number, length: number, to: number): void {
    for (let done = 0; done < length; ) {
      const chunk = this.#buffer.subarray(0, Math.min(this.#buffer.length, length - done));
      const read = readSync(this.#scratch ?? -1, chunk, 0, chunk.length, from + done);
      if (read === 0) throw new Error(`the scratch file ended at ${from + done}`);
      writeAll(this.#output, chunk.subarray(0, read), to + done);
      done += read;
    }
  }

  /** @throws LimitExceeded when the image expands beyond the limit */
  #count(data: number): void {
    const { plan, maxRatio, state } = this.#assignment;
    assertRatio(addData(state, data), plan.source.size, maxRatio);
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
