/**
 * What the fetch of an import needs and nobody else may see: the whole URL of a web-download that carries what may be a secret (user,
 * password, signature), the token of a glance-download. Sealed, apart from their tasks. Written when the task is made, read by the fetch
 * alone, gone when the import ends.
 */
export interface SourceSecrets {
  keep(taskId: string, secret: string): Promise<void>;
  forget(taskId: string): Promise<void>;
}

export interface SourceSecretReads {
  /** Undefined when there is none, or none any more, or none that the key of now opens. */
  of(taskId: string): Promise<string | undefined>;
}

/** Of a verb that begins or ends imports. */
export interface WithSourceSecrets {
  readonly sourceSecrets: SourceSecrets;
}

/** Of the fetch. */
export interface WithSourceSecretReads {
  readonly sourceSecretReads: SourceSecretReads;
}
