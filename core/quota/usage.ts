/** What the images of one project take, in the words of the unified limits (contract: quotas-and-limits.md section 2). */
export interface ProjectUsage {
  /** Bytes of all copies of the project's images, those that are being made included. */
  readonly storedBytes: number;
  /** Bytes of images being uploaded to staging or imported. */
  readonly stagedBytes: number;
  readonly images: number;
  /** Images in saving, uploading or importing, and copies in progress. */
  readonly uploading: number;
}

export const NO_USAGE: ProjectUsage = { storedBytes: 0, stagedBytes: 0, images: 0, uploading: 0 };
export const RESOURCES = Object.keys(NO_USAGE) as readonly (keyof ProjectUsage)[];

const each = (one: (resource: keyof ProjectUsage) => number): ProjectUsage =>
  Object.fromEntries(RESOURCES.map((resource) => [resource, one(resource)])) as unknown as ProjectUsage;

export const plus = (a: ProjectUsage, b: ProjectUsage): ProjectUsage => each((key) => a[key] + b[key]);
export const minus = (a: ProjectUsage, b: ProjectUsage): ProjectUsage => each((key) => a[key] - b[key]);
/** What of a difference is more than before. */
export const growthOf = (difference: ProjectUsage): ProjectUsage => each((key) => Math.max(0, difference[key]));
export const isNothing = (difference: ProjectUsage): boolean => RESOURCES.every((key) => difference[key] === 0);

/** The most that a project may have of each resource; absent: any amount. */
export type Ceilings = Partial<ProjectUsage>;

/** Counts anew, from the records, what a project's images take. */
export interface UsageCount {
  usageOf(project: string): Promise<ProjectUsage>;
}

/** Of a verb that asks what a project's images take. */
export interface WithUsageCount {
  readonly imageList: UsageCount;
}

/** What is counted of a project. */
export interface CountedUsage {
  readonly usage: ProjectUsage;
  /** As they were last given; undefined before that. */
  readonly ceilings: Ceilings | undefined;
  /** When the records were last counted. */
  readonly countedAtMs: number;
  /** When something was last added, and whether that was since. */
  readonly touchedAtMs: number;
  readonly isTouched: boolean;
}

/** One counter per project. */
export interface UsageRepository {
  /**
   * Adds what may be negative, in one write: all of it, where nothing that grows passes its ceiling, or none.
   * @param ceilings undefined: whatever the sum; else they are kept, for who cannot ask
   * @returns `unknown` when the project has no counter yet; nothing is counted then
   */
  add(project: string, amount: ProjectUsage, ceilings?: Ceilings): Promise<'added' | 'over' | 'unknown'>;
  /** Undefined without a counter. */
  of(project: string): Promise<CountedUsage | undefined>;
  /** Sets the counter when there is none or it was last touched before `touchedBeforeMs`. */
  reset(project: string, usage: ProjectUsage, touchedBeforeMs: number): Promise<void>;
  /** Projects that have a counter, in the order of their ids. */
  projects(): Promise<string[]>;
}

/** Of a verb that counts. */
export interface WithUsage {
  readonly usage: UsageRepository;
}
