/**
 * What the threads of one conversion share: a counter that hands out slices, counters for progress and limits, and the
 * block index of the result. Everything lives in shared memory; no message is sent per slice.
 */
import type { ConversionPlan } from '../../formats/convert/plan.ts';

/** Slots of `counters`. */
const NEXT_SLICE = 0;
const DONE_BYTES = 1;
const SCRATCH_BYTES = 2;
const DATA_BYTES = 3;
const STOPPED = 4;
const SLOTS = 5;

/** Shared memory of one conversion; survives being sent to a thread. */
export interface SharedState {
  readonly counters: BigInt64Array<SharedArrayBuffer>;
  /** One entry per block of the result (`EncodedSlice.index`); empty for raw. */
  readonly index: Uint32Array<SharedArrayBuffer>;
  /** Per slice where its bodies stand in the scratch file; -1 when they are to be rendered again. */
  readonly scratchOffset: Float64Array<SharedArrayBuffer>;
}

/** Makes the shared memory that a plan needs. */
export function sharedState(plan: ConversionPlan): SharedState {
  const raw = plan.target.format === 'raw';
  const blocks = raw ? 0 : Math.ceil(plan.outputSize / plan.target.blockSize);
  return {
    counters: new BigInt64Array(new SharedArrayBuffer(SLOTS * 8)),
    index: new Uint32Array(new SharedArrayBuffer(blocks * 4)),
    scratchOffset: new Float64Array(new SharedArrayBuffer(raw ? 0 : plan.sliceCount * 8)),
  };
}

/** The number of the next slice, or undefined when all are handed out or the work was stopped. */
export function nextSlice(state: SharedState, plan: ConversionPlan): number | undefined {
  if (Atomics.load(state.counters, STOPPED) !== 0n) return undefined;
  const slice = Number(Atomics.add(state.counters, NEXT_SLICE, 1n));
  return slice < plan.sliceCount ? slice : undefined;
}

/** Hands out all slices once more, for the next phase. Called while no thread works. */
export function restart(state: SharedState): void {
  Atomics.store(state.counters, NEXT_SLICE, 0n);
}

/** Makes every thread stop before its next slice. */
export function stop(state: SharedState): void {
  Atomics.store(state.counters, STOPPED, 1n);
}

/** Counts work done, in bytes of `totalWork`. */
export function addDone(state: SharedState, bytes: number): void {
  Atomics.add(state.counters, DONE_BYTES, BigInt(bytes));
}

export function doneBytes(state: SharedState): number {
  return Number(Atomics.load(state.counters, DONE_BYTES));
}

/** Counts guest bytes with data; gives the sum. */
export function addData(state: SharedState, bytes: number): number {
  return Number(Atomics.add(state.counters, DATA_BYTES, BigInt(bytes))) + bytes;
}

/** Reserves room in the scratch file; gives its offset. */
export function reserveScratch(state: SharedState, bytes: number): number {
  return Number(Atomics.add(state.counters, SCRATCH_BYTES, BigInt(bytes)));
}
