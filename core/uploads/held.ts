import { stagedPrefix } from '../../bytes/keys.ts';
import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { Duty } from '../duties/duty.ts';
import { Conflict, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { enforce, seenImage } from '../images/access.ts';
import type { Image } from '../images/image.ts';
import type { WithImages } from '../images/repository.ts';
import { uploadDutyId } from '../images/upload.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import type { WithUploadSessions } from './repository.ts';
import type { UploadSession } from './session.ts';

/** What finding a session takes. */
export type SessionDeps = WithImages & WithMembers & WithPolicy & WithUploadSessions;

/** A session and the image that it is of. */
export interface Found {
  readonly session: UploadSession;
  readonly image: Image;
}

/** An image whose bytes the caller may send. @throws NotFound, Forbidden */
export async function uploadableImage(deps: SessionDeps, caller: Caller, imageId: string): Promise<Image> {
  const seen = await seenImage(deps, caller, imageId);
  await enforce(deps, 'upload_image', seen, caller);
  return seen.image;
}

/** A session as its project, or an administrator, reaches it: for everybody else there is none. @throws NotFound, Forbidden */
export async function findSession(deps: SessionDeps, caller: Caller, imageId: string, id: string): Promise<Found> {
  const image = await uploadableImage(deps, caller, imageId);
  const session = await deps.uploadSessions.get(image.id, id.toLowerCase());
  if (session === undefined || !isOf(session, caller)) throw new NotFound(`Image ${image.id} has no upload ${id}`);
  return { session, image };
}

/** Policies can be opened to other projects; sessions are not. */
export const isOf = ({ projectId }: UploadSession, caller: Caller): boolean =>
  caller.isAdmin || (projectId !== null && projectId === caller.projectId);

/** Whether the image is this session's: whatever the record says, nothing is taken for an image that went on without it. */
export const isHeld = ({ session, image }: Found): boolean => session.state === 'open' && image.lock === session.id;

/** @throws Conflict naming what became of it */
export function assertOpen({ session, image }: Found): void {
  if (isHeld({ session, image })) return;
  const state = session.state === 'open' ? 'not held by it any more' : `of an upload that is ${session.state}`;
  throw new Conflict(`Image ${image.id} takes no parts of upload ${session.id}: it is ${state}`);
}

/** Where the bytes of a session lie in the staging bucket. */
export const sessionPrefix = ({ imageId, id }: Pick<UploadSession, 'imageId' | 'id'>): string =>
  stagedPrefix(imageId, id);

export const partsAt = (session: UploadSession) => ({
  prefix: sessionPrefix(session),
  multipartId: session.multipartId,
});

/** What a session owes: to be looked at when its time is over. It takes the place of an upload's duty, so that what ends an upload ends it. */
export const sessionDuty = (session: Pick<UploadSession, 'imageId' | 'id'>, dueAtMs: number): Duty => ({
  ...{ id: uploadDutyId(session.id), kind: 'session', imageId: session.imageId, writeId: session.id, dueAtMs },
  places: [{ place: 'staging', prefix: sessionPrefix(session) }],
});

/** Until when a session lives of which somebody has just been heard. */
export const lifetimeFrom = ({ config, clock }: WithConfig & WithClock): number =>
  clock.now() + config.upload_sessions.ttl * 3_600_000;
