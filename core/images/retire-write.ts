import type { WithBytes } from '../../bytes/bytes-port.ts';
import type { WithClock } from '../clock.ts';
import type { Duty, WithDuties } from '../duties/duty.ts';
import type { WithLog } from '../log.ts';

/** A write id whose bytes nobody will refer to, and where they may lie. */
export interface RetiredWrite {
  readonly imageId: string;
  readonly writeId: string;
  readonly places: readonly { readonly place: string; readonly prefix: string }[];
}

type RetireDeps = WithClock & WithDuties & WithBytes & WithLog;

/** A cancelled function or a cut connection may go on writing for as long as a function lives, and a little longer. */
export const TOMBSTONE_MS = 20 * 60 * 1000;
/** A place that cannot be swept now is tried again. */
const AGAIN_MS = 60 * 1000;

/**
 * Sweeps what a failed or replaced write left, at once, and leaves a tombstone by which the janitor sweeps once more when no
 * writer can be alive. The tombstone is there before the first byte goes, so dying in between loses nothing. Repeatable.
 */
export async function retireWrite(deps: RetireDeps, write: RetiredWrite): Promise<void> {
  const duty: Duty = { ...retired(write), dueAtMs: deps.clock.now(), attempt: 0 };
  await deps.duties.put(duty);
  await sweepRetired(deps, duty);
}

const retired = ({ imageId, writeId, places }: RetiredWrite) =>
  ({ id: `retired:${imageId}:${writeId}`, kind: 'retired', imageId, writeId, places }) as const;

/** As `retireWrite`, by the janitor's next run: for who may not sweep, or shall not wait. */
export async function retireSoon(deps: WithClock & WithDuties, write: RetiredWrite): Promise<void> {
  await deps.duties.put({ ...retired(write), dueAtMs: deps.clock.now(), attempt: 0 });
}

/**
 * Leaves a tombstone for what ended well: a worker that was lost and replaced may still write, and what it writes then goes once it
 * cannot be alive.
 */
export async function expectLateWrites(deps: WithClock & WithDuties, write: RetiredWrite): Promise<void> {
  await deps.duties.put({ ...retired(write), attempt: 1, dueAtMs: deps.clock.now() + TOMBSTONE_MS });
}

/**
 * What a due `retired` duty asks: the first sweep postpones the duty to the time when no writer can be alive, the one after that ends
 * it; a place that fails is tried again within a minute.
 */
export async function sweepRetired(deps: RetireDeps, duty: Duty): Promise<void> {
  await sweepPlaces(deps, duty, (duty.attempt ?? 0) === 0);
}

/**
 * Sweeps the places of a duty at once. The duty stays when one of them does not answer, and, `again`, for the time when no writer can
 * be alive; otherwise it is done.
 */
export async function sweepPlaces(deps: RetireDeps, duty: Duty, again: boolean): Promise<void> {
  try {
    await Promise.all((duty.places ?? []).map(({ place, prefix }) => deps.bytes.removePrefix(place, prefix)));
  } catch (error) {
    deps.log.warn('bytes could not be swept yet', { duty: duty.id, image: duty.imageId, cause: String(error) });
    await deps.duties.put({ ...duty, dueAtMs: deps.clock.now() + AGAIN_MS });
    return;
  }
  if (again) await deps.duties.put({ ...duty, attempt: 1, dueAtMs: deps.clock.now() + TOMBSTONE_MS });
  else await deps.duties.remove(duty.id);
}
