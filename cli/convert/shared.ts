/**
 * What the threads of one conversion share: a counter that hands out slices, counters for progress and limits, the block
 * index of the result, and whose turn it is to be placed. Everything lives in shared memory; no message is sent per slice.
 */
import type { ConversionPlan } from '../../formats/convert/plan.ts';
import { writerOf } from '../../formats/writers.ts';

/** Slots of `counters`. */
const NEXT_SLICE = 0;
const DONE_SLICES = 1;
const DATA_BYTES = 2;
const STOPPED = 3;
const TURN = 4;
const CURSOR = 5;
const SLOTS = 6;

/** Most turns come within this time; a thread that blocks goes on much sooner than one whose event loop is told. */
const SHORT_WAIT_MS = 5;
/** A thread that waits looks this often whether the work was stopped, should it have missed the call. */
const WAIT_MS = 1000;

/** Shared memory of one conversion; survives being sent to a thread. */
export interface SharedState {
  readonly counters: BigInt64Array<SharedArrayBuffer>;
  /** One entry per block of the result (`EncodedSlice.index`); empty for raw. */
  readonly index: Uint32Array<SharedArrayBuffer>;
}

/** Makes the shared memory that a plan needs. @param start file offset of the first body */
export function sharedState(plan: ConversionPlan, start: number): SharedState {
  const blocks = writerOf(plan.target).tables === undefined ? 0 : Math.ceil(plan.outputSize / plan.target.blockSize);
  const counters = new BigInt64Array(new SharedArrayBuffer(SLOTS * 8));
  counters[CURSOR] = BigInt(start);
  return { counters, index: new Uint32Array(new SharedArrayBuffer(blocks * 4)) };
}

/** The number of the next slice, or undefined when all are handed out or the work was stopped. */
export function nextSlice(state: SharedState, plan: ConversionPlan): number | undefined {
  if (isStopped(state)) return undefined;
  const slice = Number(Atomics.add(state.counters, NEXT_SLICE, 1n));
  return slice < plan.sliceCount ? slice : undefined;
}

function isStopped(state: SharedState): boolean {
  return Atomics.load(state.counters, STOPPED) !== 0n;
}

/** Makes every thread stop before its next slice. */
export function stop(state: SharedState): void {
  Atomics.store(state.counters, STOPPED, 1n);
  Atomics.notify(state.counters, TURN);
}

/** Counts a finished slice. */
export function addDone(state: SharedState): void {
  Atomics.add(state.counters, DONE_SLICES, 1n);
}

export function doneSlices(state: SharedState): number {
  return Number(Atomics.load(state.counters, DONE_SLICES));
}

/** Counts guest bytes with data; gives the sum. */
export function addData(state: SharedState, bytes: number): number {
  return Number(Atomics.add(state.counters, DATA_BYTES, BigInt(bytes))) + bytes;
}

/**
 * Bodies are placed in slice order, whoever encoded them: waits until all slices before `slice` have their places, then
 * moves the cursor.
 * @param advance from where the last body ends to where those of this slice end
 * @returns where the last body ended; undefined when the work was stopped
 */
export async function takeTurn(
  { counters }: SharedState,
  slice: number,
  advance: (at: number) => number,
): Promise<number | undefined> {
  for (let turn = Atomics.load(counters, TURN); turn !== BigInt(slice); turn = Atomics.load(counters, TURN)) {
    if (Atomics.load(counters, STOPPED) !== 0n) return undefined;
    if (Atomics.wait(counters, TURN, turn, SHORT_WAIT_MS) !== 'timed-out') continue;
    const wait = Atomics.waitAsync(counters, TURN, turn, WAIT_MS);
    if (wait.async) await wait.value;
  }
  const at = Number(Atomics.load(counters, CURSOR));
  Atomics.store(counters, CURSOR, BigInt(advance(at)));
  Atomics.store(counters, TURN, BigInt(slice + 1));
  Atomics.notify(counters, TURN);
  return at;
}
