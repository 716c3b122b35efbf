import type { ImageServiceError } from '../../errors.ts';
import type { WithLog } from '../../log.ts';
import type { Task } from '../../tasks/task.ts';
import { BEAT_MS, type RollUpDeps, rollUp } from './roll-up.ts';
import { trail } from './trail.ts';

/** What a step reports to while it moves bytes. */
export interface Reporter {
  /** Counts bytes done; writes at most every second. What cannot be written then is said by the next beat: it is no failure of the work. */
  add(bytes: number): Promise<void>;
  /** As `add` of a share of all bytes, 0 to 1. */
  addShare(share: number): Promise<void>;
  /**
   * Writes the final state of this batch; with an error when it failed in its own domain.
   * @throws what writing the record throws: others decide by it
   */
  end(error?: ImageServiceError): Promise<void>;
}

export type ReportDeps = RollUpDeps & WithLog;

/** One batch of one phase; each batch owns its record, so nobody overwrites anybody. */
export function reporter(
  deps: ReportDeps,
  task: Task & { readonly imageId: string },
  phase: string,
  batch: number,
  bytesTotal: number,
): Reporter {
  const startedAtMs = deps.clock.now();
  let bytesDone = 0;
  let writtenAtMs = 0;
  let isSilent = false;
  let hasEnded = false;
  const recent = trail(startedAtMs);
  const write = async (error?: ImageServiceError): Promise<void> => {
    const atMs = deps.clock.now();
    writtenAtMs = atMs;
    const earlier = recent(bytesDone, atMs);
    const failure = error === undefined ? {} : { error: { kind: error.kind, message: error.message } };
    // Whoever tries the batch again takes a whole record for its end: the last byte is counted when what follows it is done too.
    const isAhead = !hasEnded && bytesTotal > 0 && bytesDone >= bytesTotal;
    const counted = { bytesDone: isAhead ? bytesTotal - 1 : bytesDone, bytesTotal };
    const record = { taskId: task.id, phase, batch, ...counted, startedAtMs, atMs, earlier, ...failure };
    await deps.tasks.putBatch(record);
  };
  /** A table that is throttled, or away, for a moment: told once, and work goes on. */
  const quietly = async (report: () => Promise<void>): Promise<void> => {
    try {
      await report();
    } catch (error) {
      if (isSilent) return;
      isSilent = true;
      const cause = error instanceof Error ? error.message : String(error);
      deps.log.warn('progress not reported', { taskId: task.id, phase, batch, cause });
    }
  };
  const summed = () => rollUp(deps, task.id, task.imageId);
  const add = async (bytes: number): Promise<void> => {
    bytesDone += bytes;
    if (deps.clock.now() - writtenAtMs < BEAT_MS) return;
    await quietly(async () => {
      await write();
      await summed();
    });
  };
  return {
    add,
    addShare: (share) => add(Math.round(share * bytesTotal)),
    async end(error) {
      hasEnded = true;
      if (error === undefined) bytesDone = bytesTotal;
      await write(error);
      await quietly(summed);
    },
  };
}
