/** `plain`: one object. `sparse`: segments of the blocks that are not all zero, and a map (design section 5). */
export type Layout = 'plain' | 'sparse';

/** Bytes in a store: one object (`plain`) or a prefix with segments and map (`sparse`). */
export interface StoredBytes {
  /** `staging`, or a store id. */
  readonly place: string;
  /** Key prefix ending in `/`; the object is `{prefix}data`, or `{prefix}map` and `{prefix}s/{n}`. */
  readonly prefix: string;
  /** The whole key of a plain object that lies under no prefix of ours (a bucket drop-in). */
  readonly key?: string;
  readonly layout: Layout;
  /** Bytes a reader gets: of the object, or the virtual size of the map. */
  readonly size: number;
  readonly etag?: string;
}
