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
