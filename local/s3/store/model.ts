import type { ObjectEvent } from '../events.ts';

/** A run of bytes of one immutable blob file: its id, first byte, byte count. */
export type Segment = readonly [blob: string, offset: number, length: number];

/** Checksum algorithms that S3 clients send, as the API spells them. */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

/** FULL_OBJECT is the checksum of the bytes, COMPOSITE the checksum of the parts' checksums. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

/** A stored checksum. `value` is base64, followed by `-N` for a composite one over N parts. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
  readonly type: ChecksumType;
}

/** What a writer says about an object besides its bytes. */
export interface ObjectAttributes {
  /** Standard headers to give back: content-type, cache-control, ... (lower case). */
  readonly headers: Readonly<Record<string, string>>;
  /** User metadata, names without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** One object: what is known of it and where its bytes lie, in order. Never changed in place. */
export interface StoredObject extends ObjectAttributes {
  readonly size: number;
  /** Without quotes. Opaque (see operations/put-object.ts). */
  readonly etag: string;
  readonly modifiedMs: number;
  readonly segments: readonly Segment[];
  readonly checksum?: Checksum;
}

/** One uploaded part. */
export interface Part {
  readonly size: number;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly segments: readonly Segment[];
  readonly checksum?: Checksum;
}

/** A multipart upload in progress, without its parts. */
export interface UploadRecord extends ObjectAttributes {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly initiatedMs: number;
  readonly algorithm?: ChecksumAlgorithm;
  readonly checksumType?: ChecksumType;
}

/** What is remembered of a completed upload, so that a repeated Complete gets the same answer. */
export interface CompletedUpload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly completedMs: number;
  readonly checksum?: Checksum;
}

/** A bucket and its configuration. XML documents are kept as the client sent them. */
export interface BucketRecord {
  readonly name: string;
  readonly region: string;
  readonly createdMs: number;
  readonly eventBridge: boolean;
  readonly cors?: string;
  readonly lifecycle?: string;
  /** JSON. */
  readonly policy?: string;
  /** Headers that say how objects are encrypted unless their request says otherwise. */
  readonly encryption?: Readonly<Record<string, string>>;
}

/** One line of the journal: a change that is whole or absent. Applying a line twice, in order, changes nothing. */
export type Entry =
  | { readonly type: 'bucket'; readonly bucket: BucketRecord }
  | { readonly type: 'bucket-deleted'; readonly name: string }
  | {
      readonly type: 'object';
      readonly bucket: string;
      readonly key: string;
      readonly object: StoredObject;
      readonly completed?: CompletedUpload;
      readonly event?: ObjectEvent;
    }
  | { readonly type: 'object-deleted'; readonly bucket: string; readonly key: string; readonly event?: ObjectEvent }
  | { readonly type: 'upload'; readonly upload: UploadRecord }
  | { readonly type: 'upload-aborted'; readonly id: string }
  | { readonly type: 'upload-completed'; readonly completed: CompletedUpload }
  | { readonly type: 'part'; readonly id: string; readonly number: number; readonly part: Part }
  | { readonly type: 'event'; readonly event: ObjectEvent }
  | { readonly type: 'event-delivered'; readonly sequencer: string }
  | { readonly type: 'sequence'; readonly value: number };
