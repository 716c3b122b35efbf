import { observed } from '../../aws/telemetry.ts';
import { TaskAborted } from '../../core/errors.ts';
import { revertImport } from '../../core/imports/revert.ts';
import { serviceDeps } from '../../service/deps.ts';

/** Detail of "Step Functions Execution Status Change" (EventBridge events of AWS Step Functions). */
interface StatusChange {
  readonly detail: { readonly name: string; readonly status: string; readonly cause?: string | null };
}

/** An import execution ended badly: aborted, timed out, or failed. Reverting again what Revert did changes nothing. */
export const handler = observed(async ({ detail }: StatusChange): Promise<void> => {
  const deps = await serviceDeps();
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
