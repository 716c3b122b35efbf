/** What the images of one project take, in the words of the unified limits (contract: quotas-and-limits.md section 2). */
export interface ProjectUsage {
  /** Bytes of all copies of the project's images. */
  readonly storedBytes: number;
  /** Bytes of images being uploaded to staging or imported. */
  readonly stagedBytes: number;
  readonly images: number;
  /** Images in saving, uploading or importing, and copies in progress. */
  readonly uploading: number;
}

export const NO_USAGE: ProjectUsage = { storedBytes: 0, stagedBytes: 0, images: 0, uploading: 0 };

/** Counts anew, from the records, what a project's images take. */
export interface UsageCount {
  usageOf(project: string): Promise<ProjectUsage>;
}

/** Of a verb that asks what a project's images take. */
export interface WithUsageCount {
  readonly imageList: UsageCount;
}

/** Counters of images per project, for the limits. */
export interface UsageRepository {
  /**
   * Adds to a project's counter when the result is at most `limit` (undefined: without condition).
   * @returns `unknown` when the project has no counter yet; nothing is counted then
   */
  add(project: string, amount: number, limit: number | undefined): Promise<'added' | 'over' | 'unknown'>;
  /** 0 without a counter. */
  count(project: string): Promise<number>;
  /** Sets the counter when there is none or it was last touched before `touchedBeforeMs`. */
  reset(project: string, count: number, touchedBeforeMs: number): Promise<void>;
  /** Projects that have a counter, in the order of their ids. */
  projects(): Promise<string[]>;
}

/** Of a verb that counts. */
export interface WithUsage {
  readonly usage: UsageRepository;
}
