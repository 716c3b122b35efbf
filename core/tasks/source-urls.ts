/**
 * The whole URLs of web-downloads that carry what may be a secret (user, password, signature): apart from their tasks, which show them
 * without it. Written when the task is made, read by the fetch alone, gone when the import ends.
 */
export interface SourceUrls {
  keep(taskId: string, url: string): Promise<void>;
  forget(taskId: string): Promise<void>;
}

export interface SourceUrlReads {
  /** Undefined when there is none, or none any more. */
  of(taskId: string): Promise<string | undefined>;
}

/** Of a verb that begins or ends imports. */
export interface WithSourceUrls {
  readonly sourceUrls: SourceUrls;
}

/** Of the fetch. */
export interface WithSourceUrlReads {
  readonly sourceUrlReads: SourceUrlReads;
}
