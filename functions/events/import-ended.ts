import { TaskAborted } from '../../core/errors.ts';
import { revertImport } from '../../core/imports/revert.ts';
import { eventHandler } from './event.ts';

/** Detail of "Step Functions Execution Status Change" (EventBridge events of AWS Step Functions). */
interface StatusChange {
  readonly detail: { readonly name: string; readonly status: string; readonly cause?: string | null };
}

/** An import execution ended badly: aborted, timed out, or failed. Reverting again what Revert did changes nothing. */
export const handler = eventHandler<StatusChange>(async (deps, { detail }) => {
  const cause =
    detail.status === 'TIMED_OUT'
      ? 'The import took longer than allowed'
      : (detail.cause ?? `The import was ended (${detail.status})`);
  try {
    await revertImport(deps, detail.name, cause);
  } catch (error) {
    if (!(error instanceof TaskAborted)) throw error; // no such task any more: nothing to revert
  }
});
