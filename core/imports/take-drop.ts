import type { Duty } from '../duties/duty.ts';
import { ImageServiceError, NotFound } from '../errors.ts';
import { acceptDrop, type DropDeps, type DropOutcome, type Dropped } from './drop.ts';

/** The staging bucket's side of the drop-in. */
export interface DropBox {
  /** @throws NotFound when the object is gone; BackendUnavailable */
  describe(key: string): Promise<Pick<Dropped, 'bucket' | 'etag' | 'size' | 'metadata'>>;
  /** Moves what cannot be taken under `quarantine/`, the reason in its metadata. @throws as `describe` */
  setAside(key: string, reason: string): Promise<void>;
}

export type TakeDropDeps = DropDeps & { readonly dropBox: DropBox };

/** `gone`: taken by an earlier delivery, or removed by its owner. */
export type TakenDrop = DropOutcome | { readonly kind: 'gone' };

/** The first look of the janitor: later than the function's own time limit. */
const FIRST_LOOK_MS = 2 * 60_000;
/** Looks are twice as far apart each time, up to 32 minutes: a Keystone may be away for hours. */
const MAX_DOUBLINGS = 4;

/**
 * Takes a dropped file, or sets it aside. A duty is written first and removed at the end: while identity service or store is away
 * the file waits for the janitor, and no event is needed again. Repeatable.
 * @throws what keeps the file waiting
 */
export async function takeDrop(
  deps: TakeDropDeps,
  { key, sequencer }: Pick<Dropped, 'key' | 'sequencer'>,
  attempt = 0,
): Promise<TakenDrop> {
  const duty: Duty = {
    id: `drop:${deps.nameId(`${key}\n${sequencer}`)}`,
    kind: 'drop',
    imageId: '',
    dropped: { key, sequencer },
    attempt: attempt + 1,
    dueAtMs: deps.clock.now() + FIRST_LOOK_MS * 2 ** Math.min(attempt, MAX_DOUBLINGS),
  };
  await deps.duties.put(duty);
  const taken = await take(deps, { key, sequencer }, attempt);
  await deps.duties.remove(duty.id);
  return taken;
}

/** What a due `drop` duty asks. */
export async function retakeDrop(deps: TakeDropDeps, { dropped, attempt }: Duty): Promise<void> {
  if (dropped !== undefined) await takeDrop(deps, dropped, attempt);
}

async function take(
  deps: TakeDropDeps,
  { key, sequencer }: Pick<Dropped, 'key' | 'sequencer'>,
  attempt: number,
): Promise<TakenDrop> {
  const found = await unlessGone(deps.dropBox.describe(key));
  if (found === undefined) return { kind: 'gone' };
  const outcome = await acceptDrop(deps, { ...found, key, sequencer: sequencer || found.etag }).catch(
    (error: unknown) => {
      const given = givenUp(error, attempt);
      deps.log.error('dropped file given up', { key, cause: String(error) });
      return given;
    },
  );
  if (outcome.kind === 'imported') return outcome;
  deps.log.warn('dropped file quarantined', { key, reason: outcome.reason });
  const aside = await unlessGone(deps.dropBox.setAside(key, outcome.reason).then(() => outcome));
  return aside ?? { kind: 'gone' };
}

/** @returns undefined when there is no such object @throws everything else */
async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/** Looks that a file is worth: a service that is away comes back within two days; what nobody foresaw stays as it is. */
const LOOKS = { away: 100, unforeseen: 8 } as const;

/** The last look sets a file aside, whatever stood in its way. @throws the error while another look is worth it */
function givenUp(error: unknown, attempt: number): DropOutcome {
  const looks = error instanceof ImageServiceError ? LOOKS.away : LOOKS.unforeseen;
  if (attempt + 1 < looks) throw error;
  // The texts of others may say what is inside.
  const reason = error instanceof ImageServiceError ? error.message : 'an error of the service, which its log names';
  return { kind: 'quarantined', reason: `given up after ${attempt + 1} looks: ${reason}` };
}
