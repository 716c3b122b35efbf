import type { WithBytes } from '../../bytes/bytes-port.ts';
import type { WithDirect } from '../../bytes/direct-port.ts';
import { partSize, partSizeProblem } from '../../bytes/part-size.ts';
import type { WithClock, WithIds } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, InvalidInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { holdImage } from '../images/hold-image.ts';
import type { Image } from '../images/image.ts';
import { abandonUpload } from '../images/upload.ts';
import { BYTES_LIMIT, uploadLimit } from '../images/upload-limits.ts';
import type { WithLog } from '../log.ts';
import type { CounterDeps } from '../quota/counter.ts';
import { enforceLimit } from '../quota/limits.ts';
import { isOf, lifetimeFrom, type SessionDeps, sessionDuty, sessionPrefix, uploadableImage } from './held.ts';
import type { UploadSession } from './session.ts';

export interface NewUpload {
  /** Bytes of the image. */
  readonly size: number;
  /** Bytes of every part but the last; default: as few parts of 16 MiB or more as there can be. */
  readonly partSize?: number | undefined;
}

type CreateDeps = SessionDeps &
  CounterDeps &
  WithConfig &
  WithClock &
  WithIds &
  WithDuties &
  WithBytes &
  WithDirect &
  WithLog;

/** Between the duty and the record of a session: who dies in between is found by then. */
const BEGINNING_MS = 60_000;

/**
 * Begins the session of an image: it holds the image as PUT stage does, `uploading`, and all of its bytes count from now on.
 * @throws InvalidInput (part size), LimitExceeded, NotFound, Forbidden; Conflict (status, or another session, which the message names)
 */
export async function createUpload(
  deps: CreateDeps,
  caller: Caller,
  imageId: string,
  { size, partSize: asked }: NewUpload,
): Promise<UploadSession> {
  const image = await uploadableImage(deps, caller, imageId);
  if (!deps.config.enabled_import_methods.includes('glance-direct'))
    throw new Conflict('Staged bytes cannot be imported here: glance-direct is not one of enabled_import_methods');
  await assertQueued(deps, caller, image);
  await enforceLimit(deps, BYTES_LIMIT.stage, caller.projectId, size);
  await uploadLimit(deps, 'stage', image.owner, size);
  const bounds = deps.direct.partBounds;
  const chosen = asked ?? partSize(0, bounds, size);
  const problem = partSizeProblem(chosen, bounds, size);
  if (problem !== undefined) throw new InvalidInput(`part_size: ${problem}`);
  const id = deps.newId();
  // The duty first: whoever dies behind it is found by it.
  const duty = sessionDuty({ id, imageId: image.id }, deps.clock.now() + BEGINNING_MS);
  await holdImage(deps, image, { status: 'uploading', lock: id, size }, duty);
  try {
    const session: UploadSession = {
      ...{ id, imageId: image.id, projectId: caller.projectId, state: 'open', size, partSize: chosen },
      multipartId: await deps.direct.beginParts(sessionPrefix({ id, imageId: image.id })),
      createdAt: new Date(deps.clock.now()).toISOString(),
      expiresAtMs: lifetimeFrom(deps),
    };
    await deps.uploadSessions.create(session);
    await deps.duties.put(sessionDuty(session, session.expiresAtMs));
    return session;
  } catch (error) {
    await abandonUpload(deps, duty);
    throw error;
  }
}

/** @throws Conflict */
async function assertQueued(deps: SessionDeps, caller: Caller, image: Image): Promise<void> {
  if (image.status === 'queued') return;
  const open = image.lock === null ? undefined : await deps.uploadSessions.get(image.id, image.lock);
  if (open !== undefined && isOf(open, caller))
    throw new Conflict(`Image ${image.id} has an open upload already: ${open.id}, of ${open.size} bytes`);
  throw new Conflict(`Image status transition from ${image.status} to uploading is not allowed`);
}
