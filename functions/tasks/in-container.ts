import { serviceError } from '../../bytes/imports/step.ts';
import { Throttled } from '../../core/errors.ts';
import type { ServiceDeps } from '../../service/deps.ts';
import { type ContainerStep, recordContainer } from './container-record.ts';

/** As often as the workflow tries a function anew for the platform's faults. */
const ATTEMPTS = 5;
/** Some two hours. */
const THROTTLED_ATTEMPTS = 130;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/**
 * Runs a step as its container does: what the platform can mend is tried again here, and what the step has failed with for good is on
 * its record, for Outcome to raise. It throws only what no record can be written of.
 * @param wait so many milliseconds between attempts
 */
export async function inContainer(
  deps: Pick<ServiceDeps, 'tasks' | 'clock' | 'log'>,
  step: ContainerStep,
  run: () => Promise<unknown>,
  wait: (ms: number) => Promise<unknown>,
): Promise<void> {
  const startedAtMs = deps.clock.now();
  await recordContainer(deps, step, startedAtMs);
  try {
    await untilDone(run, wait);
  } catch (error) {
    const known = serviceError(error);
    deps.log.warn('step failed', { ...step, error: known.kind, cause: known.message });
    await recordContainer(deps, step, startedAtMs, known);
  }
}

async function untilDone(run: () => Promise<unknown>, wait: (ms: number) => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await run();
      return;
    } catch (error) {
      const failure = serviceError(error);
      const attempts = failure instanceof Throttled ? THROTTLED_ATTEMPTS : ATTEMPTS;
      if (!failure.retryable || attempt >= attempts) throw failure;
      await wait(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1)));
    }
  }
}
