/** Bytes in stores, as far as the rules need them. */
export interface BytesPort {
  /**
   * Removes every object, and aborts every multipart upload, under a prefix. Idempotent.
   * @param place `staging` or a store id
   * @throws NotFound for a store that is not configured; BackendUnavailable
   */
  removePrefix(place: string, prefix: string): Promise<void>;
}

/** Of a verb that removes bytes. */
export interface WithBytes {
  readonly bytes: BytesPort;
}
