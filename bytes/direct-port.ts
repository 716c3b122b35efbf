import type { PartBounds, SignedPart, SignedRequest, StoredPart } from './store.ts';
import type { StoredBytes } from './stored-bytes.ts';

/** What clients do with bytes by themselves, past us: by URLs that are signed for one request each. */
export interface DirectPort {
  /** Of an upload to the staging bucket. */
  readonly partBounds: PartBounds;
  /** Begins the parts of the object under a prefix of the staging bucket; answers what they are known by. @throws BackendUnavailable */
  beginParts(prefix: string): Promise<string>;
  /** The request that stores one part, and no other bytes than those. */
  signPart(at: PartsAt, part: StoredPart, seconds: number): Promise<SignedPart>;
  /** Parts that are there, in order; undefined when the upload has ended. @throws BackendUnavailable */
  listParts(at: PartsAt): Promise<readonly StoredPart[] | undefined>;
  /** Makes the object of all of its parts. @throws BackendUnavailable, also when a part was replaced meanwhile */
  joinParts(at: PartsAt): Promise<void>;
  /** Whether the object was made of its parts already. @throws BackendUnavailable */
  isJoined(at: PartsAt, size: number): Promise<boolean>;
  /** The request that reads an object of one copy; undefined when it is not there, or no client may reach it. @throws BackendUnavailable */
  signRead(copy: StoredBytes, seconds: number): Promise<SignedRequest | undefined>;
}

/** Parts of one object in the staging bucket. */
export interface PartsAt {
  readonly prefix: string;
  readonly multipartId: string;
}

/** Of a verb by which clients reach bytes themselves. */
export interface WithDirect {
  readonly direct: DirectPort;
}
