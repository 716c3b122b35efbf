import type { Config } from './config.ts';
import type { Caller } from './identity/caller.ts';
import type { Image, Location } from './images/image.ts';
import type { ImageQuery } from './images/query.ts';
import type { ImageStatus } from './images/status.ts';
import type { Member, MemberStatus } from './members/member.ts';
import type { MetadefRepository } from './metadefs/ports.ts';
import type { LimitsPort } from './quota/limited-resources.ts';
import type { ProjectUsage } from './quota/usage.ts';
import type { BatchProgress, ImportFacts, PhaseRates, Task, TaskStatus, TaskType } from './tasks/task.ts';

/**
 * What the domain needs from the outside, as small ports. `aws/` implements them on the SDK; unit tests use memory.
 */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A change of an image record that names what it expects and touches only what it names; the write is one conditional update. */
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
  /** Leave `updatedAt` and `revision` alone: for progress and other writes that are no change of the image. */
  readonly quiet?: boolean;
}

export interface ImageRepository {
  /** @throws Conflict when the id exists or existed. */
  create(image: Image): Promise<void>;
  /** Strongly consistent; undefined when there is none (or it is deleted). */
  get(id: string): Promise<Image | undefined>;
  /**
   * Applies a change and returns the new record.
   * @throws NotFound when the image is gone; StaleRevision when `expect.revision` differs; Conflict when status or lock differ
   *   (the message names both values).
   */
  change(id: string, change: ImageChange): Promise<Image>;
  /** Removes the record for good and leaves a mark that the id existed. Returns the last state. @throws as `change`. */
  delete(id: string, expect?: ImageChange['expect']): Promise<Image>;
}

/** Facts of a resource that a policy rule may look at: the wire's names (contract: policy.md section 1, Targets). */
export type PolicyTarget = Readonly<Record<string, unknown>>;

export interface PolicyPort {
  /** True when the rule holds for this target and caller. @throws BackendUnavailable when a remote check cannot be asked. */
  allows(rule: string, target: PolicyTarget, caller: Caller): Promise<boolean>;
}

/** Who may do what to single custom properties (contract: policy.md section 4). Absent from Deps when there are none. */
export interface PropertyProtections {
  mayCreate(property: string, caller: Caller): boolean | Promise<boolean>;
  mayRead(property: string, caller: Caller): boolean | Promise<boolean>;
  mayUpdate(property: string, caller: Caller): boolean | Promise<boolean>;
  mayDelete(property: string, caller: Caller): boolean | Promise<boolean>;
}

/** Turns the tokens of a request into its caller. */
export interface Authenticator {
  /**
   * @param tokens `token` is X-Auth-Token, `serviceToken` X-Service-Token; `requestId` goes into the caller.
   * @throws Unauthenticated without a valid token, BackendUnavailable when the identity service cannot be asked.
   */
  authenticate(tokens: {
    readonly token: string | undefined;
    readonly serviceToken: string | undefined;
    readonly requestId: string;
  }): Promise<Caller>;
}

/** Who else may see a shared image. */
export interface MemberRepository {
  /** @throws Conflict when the member exists. */
  create(member: Member): Promise<void>;
  get(imageId: string, project: string): Promise<Member | undefined>;
  /** All members of an image, in the order of their ids. */
  list(imageId: string): Promise<Member[]>;
  /** @throws NotFound when there is no such member. */
  setStatus(imageId: string, project: string, status: MemberStatus, updatedAt: string): Promise<Member>;
  /** @throws NotFound when there is no such member. */
  delete(imageId: string, project: string): Promise<void>;
  /** Removes every member of an image that is gone. */
  deleteAll(imageId: string): Promise<void>;
}

/** Bytes that a location URL leads to. */
export interface FoundLocation {
  readonly store: string;
  /** Bytes. */
  readonly size: number;
}

/** Location URLs that clients bring. */
export interface LocationPort {
  /** Undefined when the URL belongs to no configured store or leads to nothing. @throws BackendUnavailable */
  find(url: string): Promise<FoundLocation | undefined>;
}

/** Counters of images per project, for the limits. */
export interface UsageRepository {
  /**
   * Adds to a project's counter when the result is at most `limit` (undefined: without condition).
   * @returns `unknown` when the project has no counter yet and a limit was given
   */
  add(project: string, amount: number, limit: number | undefined): Promise<'added' | 'over' | 'unknown'>;
  count(project: string): Promise<number>;
  /** Sets the counter when there is none or it was last touched before `touchedBeforeMs`. */
  reset(project: string, count: number, touchedBeforeMs: number): Promise<void>;
  /** Projects that have a counter. */
  projects(): Promise<string[]>;
}

/** Pages of images. */
export interface ImageListing {
  /**
   * Images in the query's order, after its marker, at most `query.limit`; fewer when the page grew too large or too many
   * images had to be looked at, then `more` is true all the same.
   */
  page(query: ImageQuery): Promise<{ readonly images: readonly Image[]; readonly more: boolean }>;
  /** What the images of a project take, counted anew from the records. */
  usageOf(project: string): Promise<ProjectUsage>;
}

export interface TaskRepository {
  /** @throws Conflict when the id exists. */
  create(task: Task): Promise<void>;
  get(id: string): Promise<Task | undefined>;
  /**
   * Moves status, message and result; `from` names the statuses expected.
   * @throws Conflict when the status is another one, NotFound when there is no task.
   */
  move(
    id: string,
    from: readonly TaskStatus[],
    to: { status: TaskStatus; message?: string; result?: Task['result']; expiresAt?: string },
  ): Promise<Task>;
  /** Adds facts (by key, last write wins) and sets the message; both optional. */
  note(id: string, facts: Partial<ImportFacts>, message?: string): Promise<void>;
  listByImage(imageId: string): Promise<Task[]>;
  /** Tasks not ended yet, oldest first, for the janitor. */
  listLive(limit: number): Promise<Task[]>;
  /** Unexpired tasks, newest first unless `forward`; of one project, or all of them. */
  list(filter: { owner?: string; status?: TaskStatus; type?: TaskType; forward?: boolean }): Promise<Task[]>;
  putBatch(batch: BatchProgress): Promise<void>;
  /** Strongly consistent, so that Gather misses nobody. */
  batches(taskId: string): Promise<BatchProgress[]>;
  removeBatches(taskId: string): Promise<void>;
  /** Pace of each phase as ended imports showed it; empty before the first. */
  rates(): Promise<PhaseRates>;
  setRates(rates: PhaseRates): Promise<void>;
}

/** A thing that must be looked at when its time comes; the janitor works through them (design sections 4 and 6). */
export interface Duty {
  /** `upload:{writeId}`, `task:{taskId}`, `retired:{imageId}:{writeId}` … : one duty per thing. */
  readonly id: string;
  readonly kind: 'upload' | 'task' | 'retired' | 'deleted' | 'metadef' | 'drop';
  readonly dueAtMs: number;
  /** Empty for `metadef` and `drop`. */
  readonly imageId: string;
  readonly writeId?: string;
  /** Prefixes to sweep, for `retired` and `deleted`. */
  readonly places?: readonly { readonly place: string; readonly prefix: string }[];
  readonly attempt?: number;
  /** For `metadef`: the namespace, and the generations of its children that may be dead. */
  readonly namespaceId?: string;
  readonly generations?: readonly string[];
  /** For `drop`: the file that waits. */
  readonly dropped?: { readonly key: string; readonly sequencer: string };
}

export interface DutyRepository {
  /** Creates or postpones: last write wins. */
  put(duty: Duty): Promise<void>;
  remove(id: string): Promise<void>;
  /** Duties due at `nowMs` or before, earliest first. */
  due(nowMs: number, limit: number): Promise<Duty[]>;
}

/** Bytes in buckets, as far as the rules need them. `place` is `staging` or a store id. */
export interface BytesPort {
  /** Removes every object, and aborts every multipart upload, under a prefix. Idempotent. @throws BackendUnavailable */
  removePrefix(place: string, prefix: string): Promise<void>;
  /** @throws BackendUnavailable */
  exists(place: string, key: string): Promise<boolean>;
}

export interface WorkflowPort {
  /** Starts the import workflow under the task's id; a second call with the same id changes nothing. */
  startImport(task: Pick<Task, 'id' | 'imageId'>): Promise<void>;
  /** Stops the execution of a task if it runs. */
  stop(taskId: string, cause: string): Promise<void>;
  /** `RUNNING`, an end state, or undefined when it was never started. */
  statusOf(taskId: string): Promise<'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | undefined>;
}

export interface Log {
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Built once per process and handed down; nothing below an entry point reads the environment. */
export interface Deps {
  readonly config: Config;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly images: ImageRepository;
  readonly members: MemberRepository;
  readonly imageList: ImageListing;
  readonly usage: UsageRepository;
  readonly limits: LimitsPort;
  readonly locations: LocationPort;
  readonly metadefs: MetadefRepository;
  readonly policy: PolicyPort;
  readonly protections?: PropertyProtections;
  readonly tasks: TaskRepository;
  readonly duties: DutyRepository;
  readonly bytes: BytesPort;
  readonly workflows: WorkflowPort;
  readonly log: Log;
}
