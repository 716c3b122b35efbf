import type { UsageCount } from '../quota/usage.ts';
import type { Image, ImportProgress, Location } from './image.ts';
import type { ImageQuery } from './query.ts';
import type { ImageStatus } from './status.ts';

/**
 * A change of an image record that names what it expects and touches only what it names; the write is one conditional update.
 * One that sets `status` expects statuses from which the table of status.ts leads there.
 */
export interface ImageChange {
  readonly expect?: {
    readonly revision?: number;
    readonly status?: readonly ImageStatus[];
    /** The record's `lock`: a task or upload id, or null for "free". */
    readonly lock?: string | null;
  };
  readonly set?: Partial<
    Pick<
      Image,
      | 'name'
      | 'status'
      | 'visibility'
      | 'protected'
      | 'hidden'
      | 'owner'
      | 'diskFormat'
      | 'containerFormat'
      | 'minRam'
      | 'minDisk'
      | 'size'
      | 'virtualSize'
      | 'checksum'
      | 'hashAlgo'
      | 'hashValue'
      | 'tags'
      | 'properties'
      | 'staged'
      | 'lock'
      | 'progress'
      | 'origin'
    >
  >;
  /** Property keys merged into the map without a read (null removes). Used by workflows; PATCH sets `properties` whole. */
  readonly mergeProperties?: Readonly<Record<string, string | null>>;
  readonly addLocations?: readonly Location[];
  /** Location ids (image.ts `locationId`). */
  readonly removeLocations?: readonly string[];
  /** Stores added to or removed from the two lists; naming a list makes its key visible from then on. */
  readonly importingTo?: { readonly add?: readonly string[]; readonly remove?: readonly string[] };
  readonly failedImport?: { readonly add?: readonly string[]; readonly remove?: readonly string[] };
  /** The image's creation time, when the caller knows it: spares a read when `set.name` moves the image in the name order. */
  readonly createdAt?: string;
  /** Leave `updatedAt` and `revision` alone: for writes that are no change of the image. */
  readonly quiet?: boolean;
}

export interface ImageRepository {
  /** @throws Conflict when the id exists or existed. */
  create(image: Image): Promise<void>;
  /** Strongly consistent; undefined when there is none (or it is deleted). */
  get(id: string): Promise<Image | undefined>;
  /**
   * Applies a change and returns the new record.
   * @throws TypeError for a status that is set past the table of status.ts
   * @throws NotFound when the image is gone; StaleRevision when `expect.revision` differs; Conflict when status or lock differ
   *   (the message names both values).
   */
  change(id: string, change: ImageChange): Promise<Image>;
  /**
   * Notes how far the task is that holds the image's lock. It is shown while that task holds it, in lists too; the record itself, which
   * may be large, is not written for it.
   */
  noteProgress(id: string, taskId: string, progress: ImportProgress): Promise<void>;
  /** Removes the record for good and leaves a mark that the id existed. Returns the last state. @throws as `change`. */
  delete(id: string, expect?: ImageChange['expect']): Promise<Image>;
}

/** What a write did: the record just before and after it, or why it was refused. */
export type Swap = ({ readonly before: Image; readonly after: Image } | { readonly refused: Error }) & {
  /** False when an earlier try of the same write may have come through: what `before` says, or the refusal, may then be its doing. */
  readonly isCertain: boolean;
};

/** Records as they lie in the table; who works with them takes those that count (counted.ts). */
export interface ImageRecords extends ImageRepository {
  /** As `change`, and tells what it changed. @throws what `change` throws that is no refusal */
  swap(id: string, change: ImageChange): Promise<Swap>;
}

/** Pages of images. */
export interface ImageListing extends UsageCount {
  /**
   * Images in the query's order, after its marker, at most `query.limit`; fewer when the page grew too large or too many
   * images had to be looked at, then `more` is true all the same.
   */
  page(query: ImageQuery): Promise<{ readonly images: readonly Image[]; readonly more: boolean }>;
}

/** Of a verb on single images. */
export interface WithImages {
  readonly images: ImageRepository;
}

/** Of a verb on many images. */
export interface WithImageList {
  readonly imageList: ImageListing;
}
