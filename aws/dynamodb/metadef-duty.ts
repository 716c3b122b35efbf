import type { Clock } from '../../core/clock.ts';
import type { DutyRepository } from '../../core/duties/duty.ts';
import { ImageServiceError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { MetadefRepository } from '../../core/metadefs/repository.ts';

export interface GenerationDutyOptions {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly duties: DutyRepository;
  readonly log: Log;
}

export type WithDuty = (
  namespaceId: string,
  generations: { readonly dying: readonly string[]; readonly unborn: readonly string[] },
  change: () => Promise<void>,
) => Promise<void>;

/** Longer than any request lives: what is still half-done then was left by a crash. */
const DUTY_MS = 10 * 60_000;

/** Guards changes that write many children before, or leave many behind after, the one write that counts. */
export function createGenerationDuty(
  { clock, newId, duties, log }: GenerationDutyOptions,
  sweep: MetadefRepository['sweep'],
): WithDuty {
  /**
   * Runs a change whose generations are `dying` when it succeeds and `unborn` when it fails. Whoever crashes in between leaves
   * the duty. What no error of ours explains may still have been done: then only the duty decides, later, by the record.
   */
  const withDuty: WithDuty = async (namespaceId, { dying, unborn }, change) => {
    const id = `metadef:${namespaceId}:${newId()}`;
    const generations = [...new Set([...dying, ...unborn])];
    await duties.put({ id, kind: 'metadef', dueAtMs: clock.now() + DUTY_MS, imageId: '', namespaceId, generations });
    try {
      await change();
    } catch (error) {
      if (!(error instanceof ImageServiceError)) throw error;
      await tidy(id, namespaceId, unborn);
      throw error;
    }
    await tidy(id, namespaceId, dying);
  };

  /** The change is done whatever happens here: what cannot be removed now is the janitor's, whom the duty calls. */
  async function tidy(dutyId: string, namespaceId: string, generations: readonly string[]): Promise<void> {
    try {
      await sweep(namespaceId, generations);
      await duties.remove(dutyId);
    } catch (error) {
      log.warn('metadefs: dead definitions are left to the janitor', { dutyId, cause: String(error) });
    }
  }

  return withDuty;
}
