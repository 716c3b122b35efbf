import type { WithDirect } from '../../bytes/direct-port.ts';
import type { SignedPart, StoredPart } from '../../bytes/store.ts';
import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, InvalidInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { assertOpen, findSession, lifetimeFrom, partsAt, type SessionDeps, sessionDuty } from './held.ts';
import { partBytes, partCount, type UploadSession } from './session.ts';

export type { SignedPart } from '../../bytes/store.ts';

/** A part's URL lives for so long: less than a retired write waits for its second sweep (images/retire-write.ts). Seconds. */
const PART_URL_SECONDS = 15 * 60;

type SignDeps = SessionDeps & WithConfig & WithClock & WithDuties & WithDirect;

/**
 * The requests by which a client stores parts of an open session itself. Its bytes are counted since it began: no URL is for others. It
 * lives on from now.
 * @throws InvalidInput naming the part that does not fit, NotFound, Forbidden, Conflict when it is not open
 */
export async function signParts(
  deps: SignDeps,
  caller: Caller,
  imageId: string,
  id: string,
  parts: readonly StoredPart[],
): Promise<readonly SignedPart[]> {
  const found = await findSession(deps, caller, imageId, id);
  const { session } = found;
  assertOpen(found);
  checkParts(session, parts);
  const expiresAtMs = lifetimeFrom(deps);
  await deps.duties.put(sessionDuty(session, expiresAtMs));
  if (!(await deps.uploadSessions.postpone(session.imageId, session.id, expiresAtMs)))
    throw new Conflict(`Upload ${session.id} has just ended`);
  return Promise.all(parts.map((part) => deps.direct.signPart(partsAt(session), part, PART_URL_SECONDS)));
}

/** @throws InvalidInput */
function checkParts(session: UploadSession, parts: readonly StoredPart[]): void {
  const seen = new Set<number>();
  for (const { number, size } of parts) {
    if (seen.has(number)) throw new InvalidInput(`parts: number ${number} is named twice`);
    seen.add(number);
    if (number > partCount(session))
      throw new InvalidInput(`parts: number ${number}: the upload has ${partCount(session)} parts`);
    const expected = partBytes(session, number);
    if (size !== expected)
      throw new InvalidInput(`parts: part ${number} has ${expected} bytes of this upload, not ${size}`);
  }
}
