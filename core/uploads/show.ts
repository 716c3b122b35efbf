import type { WithDirect } from '../../bytes/direct-port.ts';
import type { StoredPart } from '../../bytes/store.ts';
import type { Caller } from '../identity/caller.ts';
import { type Found, findSession, isHeld, isOf, partsAt, type SessionDeps, uploadableImage } from './held.ts';
import type { UploadSession } from './session.ts';

/** A session with what is there of it. */
export interface ShownUpload {
  readonly session: UploadSession;
  /** Bytes of the parts that are there; all of them when it is complete. */
  readonly received: number;
  /** In order; none of a session that is not open. */
  readonly parts: readonly StoredPart[];
}

type ShowDeps = SessionDeps & WithDirect;

/** @throws NotFound, Forbidden, BackendUnavailable */
export async function showUpload(deps: ShowDeps, caller: Caller, imageId: string, id: string): Promise<ShownUpload> {
  return shown(deps, await findSession(deps, caller, imageId, id));
}

/** Of one image, the newest first. @throws NotFound, Forbidden, BackendUnavailable */
export async function listUploads(deps: ShowDeps, caller: Caller, imageId: string): Promise<ShownUpload[]> {
  const image = await uploadableImage(deps, caller, imageId);
  const sessions = await deps.uploadSessions.list(image.id);
  return Promise.all(
    sessions.filter((session) => isOf(session, caller)).map((session) => shown(deps, { session, image })),
  );
}

/** As it is seen from outside: an open session whose image went on without it has ended. */
export async function shown(deps: WithDirect, { session, image }: Found): Promise<ShownUpload> {
  if (session.state === 'complete') return { session, received: session.size, parts: [] };
  if (session.state !== 'open') return { session, received: 0, parts: [] };
  if (!isHeld({ session, image })) return { session: { ...session, state: 'aborted' }, received: 0, parts: [] };
  const parts = await deps.direct.listParts(partsAt(session));
  // Its parts were joined by a completion that was cut short: the next one finishes it.
  if (parts === undefined) return { session, received: session.size, parts: [] };
  return { session, received: parts.reduce((sum, { size }) => sum + size, 0), parts };
}
