import type { LongWork } from '../../bytes/imports/step.ts';
import { StepTooLong } from '../../core/errors.ts';
import { optional } from '../../service/environment.ts';

/**
 * Bytes per second that a step gets done on the one vCPU of its function, low on purpose: a step that moves to a container in vain
 * loses a minute, one that stays in vain loses its function's whole time.
 */
const PACE = {
  /** A source on the internet. */
  fetch: 40e6,
  /** Packed bytes; xz is the slowest. */
  decompress: 10e6,
  /** A message digest, and md5 and sha512 where nobody has them yet: up to three threads on one vCPU. */
  signature: 130e6,
  /** md5 and sha512, two threads on one vCPU (measured: docs/operations/capacity.md). */
  hash: 200e6,
  /** An appliance's members, read one range after another. */
  verify: 60e6,
  /** Bytes that pass through the task on their way to a store: a packed image written whole. */
  copy: 60e6,
  /** Bodies of a target with tables that are too small for the store to copy by itself, and a few megabytes for each that it copies. */
  assemble: 60e6,
} as const satisfies Record<LongWork, number>;

/**
 * Asked by a step once it knows its bytes and before it moves them. Where no limit is set (in the container itself, and where there
 * are no containers) everything fits.
 * @throws StepTooLong, which the workflow catches and runs the step as a container
 */
export function assertFits(work: LongWork, bytes: number): void {
  const limit = optional(process.env, 'functionSeconds');
  const seconds = bytes / PACE[work];
  if (limit !== undefined && seconds > Number(limit))
    throw new StepTooLong(`To ${work} ${bytes} bytes takes some ${Math.ceil(seconds)} s, a function has ${limit} s`);
}
