import type { Layout } from '../../bytes/stored-bytes.ts';
import type { ImageStatus } from './status.ts';

export const VISIBILITIES = ['community', 'public', 'private', 'shared'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** One copy of the image's bytes. Identity is `${store}:${writeId}`, so a repeated write replaces itself and nothing else. */
export interface Location {
  /** Store id. */
  readonly store: string;
  /** The task or upload that wrote the bytes; objects lie under `images/{imageId}/{writeId}/`. Absent for external URLs. */
  readonly writeId?: string;
  readonly layout: Layout;
  /** Bytes that this copy takes in the store. */
  readonly storedBytes: number;
  /** Location URL: `s3://…/data`, `glimpse+s3://…/map`, or an external http(s) URL. */
  readonly url: string;
  /** Client visible metadata; `store` is added by the view. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Order of creation, for listing. Milliseconds. */
  readonly addedAtMs: number;
}

/** Bytes that wait in the staging bucket between PUT stage and import. */
export interface StagedData {
  readonly writeId: string;
  readonly layout: Layout;
  /** Bytes as uploaded. */
  readonly size: number;
  /** Hex digests of the bytes as uploaded, when they were computed on the way. */
  readonly md5?: string;
  readonly hash?: { readonly algo: string; readonly value: string };
  /** Left by an import that was cancelled, for a retry of that task alone; absent while the bytes wait for any import. */
  readonly kept?: { readonly taskId: string };
}

/** How far the running import is; a roll-up of batch records, at most a few seconds old. */
export interface ImportProgress {
  readonly phase: string;
  /** 0 to 100, never decreasing within a task. */
  readonly percent: number;
  /** Seconds to the end at the present rate; absent until there is a rate. */
  readonly etaSeconds?: number;
}

/** What the last import left of what it found out about the bytes; its properties were written with it. */
export interface Origin {
  /** The import. */
  readonly taskId: string;
  /** The file that the bytes came in, where they were converted to another kind. */
  readonly source?: {
    readonly format: string;
    /** streamOptimized, fixed, dynamic … */
    readonly subformat?: string;
    /** A value of `vmware_adaptertype`. */
    readonly adapterType?: string;
  };
}

/**
 * What became of a signature: verified; the same by a certificate that was trusted then; or dropped because the image was converted.
 */
export type SignatureMark = 'verified' | 'trusted' | 'dropped';

/**
 * An image record. Custom properties are strings (null only for the keys that schema-image.json lets be null).
 * Times are ISO 8601 UTC with milliseconds; the wire cuts them to seconds.
 */
export interface Image {
  readonly id: string;
  readonly name: string | null;
  readonly status: ImageStatus;
  readonly visibility: Visibility;
  readonly protected: boolean;
  readonly hidden: boolean;
  readonly owner: string | null;
  readonly diskFormat: string | null;
  readonly containerFormat: string | null;
  /** MiB. */
  readonly minRam: number;
  /** GiB. */
  readonly minDisk: number;
  /** Bytes a download returns; null until known. */
  readonly size: number | null;
  /** Bytes the guest sees; null when unknown. */
  readonly virtualSize: number | null;
  /** MD5 hex of what a download returns. */
  readonly checksum: string | null;
  readonly hashAlgo: string | null;
  readonly hashValue: string | null;
  readonly tags: readonly string[];
  readonly properties: Readonly<Record<string, string | null>>;
  readonly locations: readonly Location[];
  readonly staged: StagedData | null;
  /** The upload (PUT file or stage) or task that may change status and bytes now; null when nothing is under way. */
  readonly lock: string | null;
  /** Stores still to be written; null before the first import (the wire key is then absent, otherwise `""` when empty). */
  readonly importingTo: readonly string[] | null;
  readonly failedImport: readonly string[] | null;
  readonly progress: ImportProgress | null;
  readonly origin: Origin | null;
  /** Of the bytes and the properties that the image has now; null for bytes that were not signed. */
  readonly signature: SignatureMark | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Grows by one with every write of client-editable attributes; PATCH is conditional on it. */
  readonly revision: number;
}

export function locationId(location: Pick<Location, 'store' | 'writeId' | 'url'>): string {
  return `${location.store}:${location.writeId ?? location.url}`;
}

/** Stores that hold a copy which one write made. */
export function storesWrittenBy(image: Pick<Image, 'locations'> | undefined, writeId: string): string[] {
  return (image?.locations ?? []).filter((location) => location.writeId === writeId).map(({ store }) => store);
}
