import type { Duty } from '../duties/duty.ts';
import { Conflict } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { type AbandonDeps, abandonUpload } from '../images/upload.ts';
import { followComplete } from './complete.ts';
import { findSession, type SessionDeps, sessionDuty } from './held.ts';
import type { WithUploadSessions } from './repository.ts';

type EndDeps = AbandonDeps & WithUploadSessions;

/**
 * Ends a session whose bytes nobody wants: the image is queued, the parts go. Of one that has ended badly it changes nothing.
 * @throws NotFound, Forbidden; Conflict when it is complete
 */
export async function abortUpload(
  deps: EndDeps & SessionDeps,
  caller: Caller,
  imageId: string,
  id: string,
): Promise<void> {
  const { session, image } = await findSession(deps, caller, imageId, id);
  const duty = sessionDuty(session, deps.clock.now());
  if (session.state === 'open') {
    // The duty first: whoever dies behind it is found by it.
    await deps.duties.put(duty);
    const ended = await deps.uploadSessions.end(session.imageId, session.id, 'aborted');
    if (ended?.state !== 'complete') return abandonUpload(deps, duty);
  } else if (session.state !== 'complete') {
    return image.lock === session.id ? abandonUpload(deps, duty) : undefined;
  }
  throw new Conflict(`Upload ${session.id} is complete: its bytes wait for an import, or go with the image`);
}

/**
 * What a due `session` duty asks: a session that nobody was heard of for its time ends, and the image of one that has ended follows, where
 * whoever ended it died before.
 */
export async function settleSession(deps: EndDeps, duty: Duty): Promise<void> {
  const { imageId, writeId: id = '' } = duty;
  const [known, image] = await Promise.all([deps.uploadSessions.get(imageId, id), deps.images.get(imageId)]);
  const isHeld = image?.lock === id;
  if (known?.state === 'open' && isHeld && known.expiresAtMs > deps.clock.now())
    return deps.duties.put(sessionDuty(known, known.expiresAtMs));
  const session = known?.state === 'open' ? await deps.uploadSessions.end(imageId, id, 'expired') : known;
  if (session?.state !== 'complete') return abandonUpload(deps, duty);
  await followComplete(deps, session, image);
  await deps.duties.remove(duty.id);
}
