import { PLAIN, type SlicePlaces, type TargetLayout } from './writer.ts';

/** File offsets of blocks, asked for in guest order: a running sum within each slice. */
export class OffsetCursor {
  readonly #index: Uint32Array;
  readonly #places: SlicePlaces;
  readonly #blocksPerSlice: number;
  #next = 0;
  #plain = 0;
  #packed = 0;

  constructor(plan: TargetLayout, index: Uint32Array, places: SlicePlaces) {
    this.#index = index;
    this.#places = places;
    this.#blocksPerSlice = plan.sliceSize / plan.target.blockSize;
  }

  /** Fills `out` for the blocks [start, end); `start` is not before the end of the last call. */
  offsets(start: number, end: number, out: Float64Array): void {
    for (let block = this.#next; block < end; block++) {
      if (block % this.#blocksPerSlice === 0) this.#enter(block / this.#blocksPerSlice);
      const entry = this.#index[block] ?? 0;
      if (block >= start) out[block - start] = entry >= PLAIN ? this.#plain : this.#packed;
      if (entry >= PLAIN) this.#plain += entry - PLAIN;
      else this.#packed += entry;
    }
    this.#next = end;
  }

  #enter(slice: number): void {
    this.#plain = this.#places.plainOffset[slice] ?? 0;
    this.#packed = this.#places.packedOffset[slice] ?? 0;
  }
}
