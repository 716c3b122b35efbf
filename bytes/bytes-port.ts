/** Bytes in buckets, as far as the rules need them. `place` is `staging` or a store id. */
export interface BytesPort {
  /** Removes every object, and aborts every multipart upload, under a prefix. Idempotent. @throws BackendUnavailable */
  removePrefix(place: string, prefix: string): Promise<void>;
  /** @throws BackendUnavailable */
  exists(place: string, key: string): Promise<boolean>;
}

/** Of a verb that removes bytes. */
export interface WithBytes {
  readonly bytes: BytesPort;
}
