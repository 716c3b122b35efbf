/**
 * The port behind which image bytes lie: a bucket of whatever service. What is done with bytes (cutting, packing, copying, reading)
 * stands in this folder and is the same for all; a kind of store is one implementation of this, held to it by
 * test/support/store-conformance.ts. Keys are strings with `/`; offsets and lengths are bytes. A failing service is
 * BackendUnavailable everywhere, an aborted signal its reason.
 */
export interface Store {
  /** `staging`, or a store id. */
  readonly id: string;
  /** The scheme of its location URLs: `s3`. */
  readonly kind: string;
  readonly bucket: string;
  /** Raw images are stored packed here. */
  readonly sparse: boolean;
  /** Of a service that is not known yet, the least; its bounds are those that count here. */
  readonly abilities: Abilities;
  /**
   * What is known of a service that is asked for its abilities, without asking it now; undefined while nobody has. Absent: `abilities`
   * are known. @throws BackendUnavailable; the signal's reason
   */
  knownAbilities?(signal?: AbortSignal): Promise<Abilities | undefined>;
  /** Bytes can come from there without passing through us: the same service, and the same credentials. */
  canCopyFrom(other: Store): boolean;
  /** @throws NotFound */
  headObject(key: string, signal?: AbortSignal): Promise<ObjectFacts>;
  /**
   * Bytes [start, end) of an object, `end > start`. The request is under way at once, so that a reader opens the next ones while it
   * consumes the first; a body that breaks off is continued.
   */
  readRange(key: string, start: number, end: number, options?: ReadOptions): RangedRead;
  /** A small object, whole, in one request. @throws NotFound */
  getObject(key: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Makes or replaces an object in one request and returns its ETag. @throws NotFound (bucket) */
  putObject(key: string, body: Uint8Array, options?: PutOptions): Promise<string>;
  /** An upload in parts, begun by its first one; `metadata` is the object's. */
  multipart(key: string, signal?: AbortSignal, metadata?: Metadata): Multipart;
  /**
   * Goes on with an upload of `key` that somebody else began and did not end, so that its parts need not be sent again. Undefined when
   * there is none of this id (any more), or none whose parts the service verified.
   */
  resumeMultipart(key: string, uploadId: string, signal?: AbortSignal): Promise<ResumedMultipart | undefined>;
  /** Makes or replaces an object by copying one of at most `maxCopyBytes`. @throws NotFound, SourceChanged */
  copyObject(from: ObjectVersion, key: string, options?: CopyObjectOptions): Promise<void>;
  /** Fine when it is gone already. */
  removeObject(key: string): Promise<void>;
  /** Removes every object, and aborts every multipart upload, under a prefix. Idempotent. */
  removePrefix(prefix: string): Promise<void>;
  /** Absent: nobody but us reaches its bytes. */
  readonly direct?: DirectAccess;
}

/** What a client does with a store by itself: by requests that are signed for one thing each. */
export interface DirectAccess {
  /** The request that stores part `part.number` of an upload, of that length and CRC32 and no other. */
  signPart(key: string, uploadId: string, part: StoredPart, seconds: number): Promise<SignedPart>;
  /** The request that reads an object, or a range of it. */
  signGet(key: string, seconds: number): Promise<SignedRequest>;
  /** Parts that there are, in order; undefined when there is no such upload (any more). @throws BackendUnavailable */
  listParts(key: string, uploadId: string): Promise<readonly StoredPart[] | undefined>;
  /** Makes the object of the parts that there are; an upload that the service refuses to complete stays. @throws BackendUnavailable */
  joinParts(key: string, uploadId: string): Promise<void>;
}

/** A part as clients speak of it: numbered from 1. */
export interface StoredPart {
  readonly number: number;
  /** Bytes. */
  readonly size: number;
  /** As in `x-amz-checksum-crc32`: base64 of four bytes, big-endian. */
  readonly crc32: string;
}

/** A request as a client has to send it. The URL is a secret while it lives: it goes into an answer, and nowhere else. */
export interface SignedRequest {
  readonly url: string;
  readonly method: 'GET' | 'PUT';
  /** Headers that were signed, but for `host`; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

export interface SignedPart extends SignedRequest {
  readonly number: number;
}

/** What a service can, and within which bounds. All sizes are bytes. */
export interface Abilities extends PartBounds {
  /** Refuses a body or part whose CRC32 is not the one sent; a service that does not gets none. */
  readonly verifiesCrc32: boolean;
  /** Refuses a body or part whose MD5 is not the one sent; asked to where it does not verify a CRC32. */
  readonly verifiesMd5: boolean;
  /** Takes the CRC32 of each part once more when a multipart upload completes. */
  readonly partChecksumsInComplete: boolean;
  /** Takes the CRC32 of all of a multipart object at its completion. */
  readonly fullObjectCrc32: boolean;
  /** Wants the MD5 of each body and part, and of a removal of many. */
  readonly needsContentMd5: boolean;
  /** Copies under the condition that the source has an ETag; of another service it is asked before. */
  readonly conditionalCopies: boolean;
  /** Names the ETag when a multipart upload completes; of another service it is asked afterwards. */
  readonly etagOfComplete: boolean;
  readonly maxCopyBytes: number;
}

/** Of one multipart upload. Its last part may be smaller. */
export interface PartBounds {
  readonly minPartBytes: number;
  readonly maxPartBytes: number;
  readonly maxParts: number;
}

/** User metadata of an object: values are stored percent-encoded where they are not ASCII. */
export type Metadata = Readonly<Record<string, string>>;

export interface ObjectFacts {
  readonly etag: string;
  readonly size: number;
  /** User metadata, names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An object of a store that the destination can copy from; another version than `etag` is SourceChanged. */
export interface ObjectVersion {
  readonly store: Store;
  readonly key: string;
  readonly etag?: string | undefined;
}

export interface ReadOptions {
  /** The version expected; another one is SourceChanged. */
  readonly etag?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Chunks in order, in batches of what is here at once: views, not to be written to.
 * @throws NotFound, SourceChanged, Truncated when the object ends before the range; BackendUnavailable; the signal's reason
 */
export interface RangedRead extends AsyncIterable<readonly Uint8Array[]> {
  /** Gives the connection up; for read-ahead that is not needed any more. Idempotent. */
  cancel(): void;
}

export interface PutOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of the body, when it is known already. */
  readonly crc32?: number | undefined;
  readonly contentType?: string | undefined;
}

export interface CopyObjectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Replaces the source's user metadata. */
  readonly metadata?: Metadata | undefined;
}

/** Parts may come in any order and at once; each is numbered from 0, and one that comes again replaces the one before. */
export interface Multipart {
  /** Begins the upload, unless it has begun, and returns what `resumeMultipart` knows it by. @throws NotFound (bucket) */
  begin(): Promise<string>;
  /** @throws NotFound (bucket) */
  putPart(n: number, body: Uint8Array): Promise<void>;
  /** Copies bytes [start, end) of an object, the service reading them itself. @throws NotFound, SourceChanged */
  copyPart(n: number, from: ObjectVersion, start: number, end: number): Promise<void>;
  /** Makes the object of the parts and returns its ETag. */
  complete(): Promise<string>;
  /** Removes what was stored of an upload that will not be completed. Never throws: what remains is swept by prefix. */
  abort(): Promise<void>;
}

/** An upload that goes on, and the bytes of each of its parts, numbered from 0. */
export interface ResumedMultipart {
  readonly multipart: Multipart;
  readonly parts: ReadonlyMap<number, number>;
}
