import type { BatchProgress } from '../tasks/task.ts';

/** Work that is under way and reports nothing for this long is dead: no step is quiet longer while it lives. Milliseconds. */
const SILENCE_MS = 5 * 60_000;

/**
 * For how long a running import has made no progress, in milliseconds, when that is too long. Nothing is too long for one whose batches
 * have all ended, or have not begun: its next call waits for room, and the execution's own time limit ends what waits in vain.
 */
export function silenceOf(
  updatedAtMs: number,
  batches: readonly Pick<BatchProgress, 'bytesDone' | 'bytesTotal' | 'atMs' | 'error'>[],
  nowMs: number,
): number | undefined {
  const isUnderWay = batches.some(
    ({ bytesDone, bytesTotal, error }) => bytesDone !== bytesTotal && error === undefined,
  );
  const silentMs = nowMs - Math.max(updatedAtMs, ...batches.map(({ atMs }) => atMs));
  return isUnderWay && silentMs >= SILENCE_MS ? silentMs : undefined;
}

/**
 * Whether a silent import is dead: a call has been under way for as long. What was lost is called again by the execution, which may have
 * to wait for room for as long as the import may; nothing is under way then, or since a moment ago.
 * @param busySinceMs of the oldest call under way
 */
export function isDead(busySinceMs: number | undefined, nowMs: number): boolean {
  return busySinceMs !== undefined && nowMs - busySinceMs >= SILENCE_MS;
}
