import type { WithClock } from '../clock.ts';
import type { Duty, WithDuties } from '../duties/duty.ts';
import type { Image } from './image.ts';
import type { ImageChange, WithImages } from './repository.ts';
import { retireSoon } from './retire-write.ts';
import { stagedWrite } from './staged.ts';

/**
 * Takes the lock of a queued image for an upload; what a cancelled import left there for a retry is replaced.
 * @param duty by which the janitor finds an upload that died; written first
 * @throws Conflict when the image is not queued, or not free; LimitExceeded; NotFound
 */
export async function holdImage(
  deps: WithClock & WithImages & WithDuties,
  image: Image,
  set: Required<Pick<NonNullable<ImageChange['set']>, 'status' | 'lock'>> & { readonly size?: number },
  duty: Duty,
): Promise<void> {
  await deps.duties.put(duty);
  try {
    await deps.images.change(image.id, { expect: { status: ['queued'], lock: null }, set: { ...set, staged: null } });
  } catch (error) {
    await deps.duties.remove(duty.id);
    throw error;
  }
  if (image.staged !== null) await retireSoon(deps, stagedWrite(image.id, image.staged));
}
