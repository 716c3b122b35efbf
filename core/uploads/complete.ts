import type { WithDirect } from '../../bytes/direct-port.ts';
import type { StoredPart } from '../../bytes/store.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { Image } from '../images/image.ts';
import type { WithImages } from '../images/repository.ts';
import { completeStage, type Upload } from '../images/upload.ts';
import { assertOpen, type Found, findSession, partsAt, type SessionDeps, sessionPrefix } from './held.ts';
import { partBytes, partCount, type UploadSession } from './session.ts';
import { type ShownUpload, shown } from './show.ts';

type CompleteDeps = SessionDeps & WithDuties & WithDirect;

/**
 * Ends a session well: its parts become one object, the record says so, and the image has its staged bytes, as after PUT stage. Whoever
 * asks again finishes what was cut short; of a session that is complete it changes nothing.
 * @throws NotFound, Forbidden; Conflict when it has ended otherwise, or naming the parts that are missing; BackendUnavailable
 */
export async function completeUpload(
  deps: CompleteDeps,
  caller: Caller,
  imageId: string,
  id: string,
): Promise<ShownUpload> {
  const found = await findSession(deps, caller, imageId, id);
  const session = found.session.state === 'complete' ? found.session : await endWell(deps, found);
  await followComplete(deps, session, found.image);
  return shown(deps, { session, image: found.image });
}

/** @throws Conflict */
async function endWell(deps: CompleteDeps, found: Found): Promise<UploadSession> {
  assertOpen(found);
  const { session } = found;
  await join(deps, session);
  const ended = await deps.uploadSessions.end(session.imageId, session.id, 'complete');
  if (ended?.state !== 'complete')
    throw new Conflict(`Upload ${session.id} is ${ended?.state ?? 'gone'}: it cannot be completed`);
  return ended;
}

/** One object of all parts, unless an earlier completion has made it. @throws Conflict, BackendUnavailable */
async function join({ direct }: WithDirect, session: UploadSession): Promise<void> {
  const at = partsAt(session);
  const parts = await direct.listParts(at);
  if (parts !== undefined) {
    checkParts(session, parts);
    await direct.joinParts(at);
  } else if (!(await direct.isJoined(at, session.size)))
    throw new Conflict(`Upload ${session.id} has lost its parts: begin another one`);
}

/** How many numbers a message names. */
const MOST_NAMED = 10;

/** @throws Conflict */
function checkParts(session: UploadSession, parts: readonly StoredPart[]): void {
  const bytes = new Map(parts.map(({ number, size }) => [number, size]));
  const numbers = Array.from({ length: partCount(session) }, (_, at) => at + 1);
  const lacking = numbers.filter((number) => bytes.get(number) !== partBytes(session, number));
  if (lacking.length === 0 && bytes.size === numbers.length) return;
  const named = lacking.slice(0, MOST_NAMED).join(', ') + (lacking.length > MOST_NAMED ? ', …' : '');
  throw new Conflict(
    `Upload ${session.id} has ${numbers.length - lacking.length} of ${numbers.length} parts; missing: ${named || 'none'}`,
  );
}

/**
 * The image of a session that is complete gets its staged bytes, if it still waits for them: an import may have taken it since, or it
 * may be gone. Repeatable.
 */
export async function followComplete(
  deps: WithImages & WithDuties,
  session: UploadSession,
  image: Image | undefined,
): Promise<void> {
  if (image?.lock !== session.id) return;
  const { id: writeId, size } = session;
  const upload: Upload = {
    ...{ kind: 'stage', writeId, image, place: 'staging', prefix: sessionPrefix(session), layout: 'plain' },
    ...{ limitBytes: size, declaredSize: size },
  };
  try {
    await completeStage(deps, upload, { size });
  } catch (error) {
    // Somebody else has done it, and an import has begun since.
    if (!(error instanceof Conflict || error instanceof NotFound)) throw error;
    if ((await deps.images.get(image.id))?.lock === session.id) throw error;
  }
}
