import type { StoredBytes } from '../../bytes/stored-bytes.ts';
import type { ExpectedSignature } from '../signatures/expected.ts';

export const TASK_STATUSES = ['pending', 'processing', 'success', 'failure'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];
export const TASK_TYPES = ['import', 'api_image_import', 'location_import'] as const;
export type TaskType = (typeof TASK_TYPES)[number];

/** Where the bytes of an import come from. */
export type ImportMethod =
  | { readonly name: 'glance-direct' }
  /**
   * `isShortened`: without what may be a secret; the whole URL lies apart (source-secrets.ts), under this task's id, or, when this is a
   * retry, under that of the task which was cancelled (`keptUnder`).
   */
  | { readonly name: 'web-download'; readonly uri: string; readonly isShortened?: true; readonly keptUnder?: string }
  | { readonly name: 'copy-image' }
  /**
   * Of an image service of another region, at the URL that the catalog of who asks had for `facing`, and which is missing where it
   * had none; his token lies apart (source-secrets.ts).
   */
  | {
      readonly name: 'glance-download';
      readonly region: string;
      readonly facing: string;
      readonly endpoint?: string;
      readonly remoteImageId: string;
    }
  /** Not fetched at all: the image has a location that a client brought, and its bytes are only hashed, or not even that. */
  | {
      readonly name: 'location';
      readonly url: string;
      readonly hash: boolean;
      /** The hash that the bytes must have before the image turns active. */
      readonly expected?: { readonly algo: string; readonly value: string };
    }
  | {
      readonly name: 'drop';
      readonly bucket: string;
      readonly key: string;
      readonly etag: string;
      readonly size: number;
    };

/** Bytes per second of each phase. */
export type PhaseRates = Readonly<Record<string, number>>;

/** What the bytes of an import say of themselves and of the machine that they are for. */
export interface Introspection {
  readonly format: string;
  readonly subformat?: string;
  /** Image properties by the names of Glance and Nova. */
  readonly properties: Readonly<Record<string, string>>;
  /** What says which firmware the disk starts with. */
  readonly firmwareEvidence?: string;
}

/** What the steps have established so far; each step adds its own key and reads the others'. */
export interface ImportFacts {
  /** Bytes as they arrived, or what a plugin made of them. */
  readonly source?: StoredBytes;
  /** Bytes as they arrived, once a plugin put others in their place. */
  readonly packed?: StoredBytes;
  /** What the image said before glance-download put the words of the other service in their place; null: there was no such property. */
  readonly replaced?: {
    readonly diskFormat: string | null;
    readonly containerFormat: string | null;
    readonly properties: Readonly<Record<string, string | null>>;
  };
  /** Format the engine found, and what it will be stored as. */
  readonly format?: string;
  readonly targetFormat?: string;
  readonly virtualSize?: number;
  /** What else the engine found, as far as the image may say it. */
  readonly found?: Introspection;
  /** What of it goes onto the image at the end. */
  readonly kept?: Introspection;
  /** Digests of the bytes as they arrived, when somebody computed them on the way. */
  readonly sourceDigests?: { readonly md5: string; readonly hash: { readonly algo: string; readonly value: string } };
  /** The bytes as they arrived are signed as the task expects. */
  readonly isVerified?: boolean;
  /** Bytes ready to be copied to the stores. */
  readonly rendered?: StoredBytes;
  readonly md5?: string;
  readonly hash?: { readonly algo: string; readonly value: string };
  /** Bytes each phase has to do, as soon as that is known: the denominator of progress. */
  readonly work?: Readonly<Record<string, number>>;
  /** What earlier imports showed of each phase's pace, when this one began. */
  readonly rates?: PhaseRates;
  /** When the task left `pending`. Milliseconds. */
  readonly startedAtMs?: number;
}

/** A piece of long work on an image. The task id is also its write id and its execution name. */
export interface Task {
  readonly id: string;
  readonly type: TaskType;
  readonly status: TaskStatus;
  readonly imageId: string | null;
  readonly owner: string;
  readonly userId: string | null;
  readonly requestId: string | null;
  /** What the client asked, as it goes on the wire, without what may be a secret in URLs. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>> | null;
  /** Why it failed, or what it did, in words. */
  readonly message: string;
  /** What the workflow works from; absent for tasks that no workflow runs. */
  readonly import?: {
    readonly method: ImportMethod;
    /** Store ids, deduplicated, in the order asked. */
    readonly stores: readonly string[];
    readonly allStoresMustSucceed: boolean;
    /** Roles of the requester, for plugins that look at them. */
    readonly roles: readonly string[];
    /** What the bytes must be signed with, as the image said when the import was asked for. */
    readonly signature?: ExpectedSignature;
  };
  readonly facts: ImportFacts;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When somebody asked for its end before it had come to one; absent otherwise. It then ends as a `failure`. */
  readonly cancelledAt?: string;
  /** Set when the task ended: `task_time_to_live` later it disappears. */
  readonly expiresAt: string | null;
}

/** Work done by one batch of one phase of a task; each batch owns its record and nobody else writes it. */
export interface BatchProgress {
  readonly taskId: string;
  /** `fetch`, `render`, `hash`, `copy:{store}` … */
  readonly phase: string;
  readonly batch: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly startedAtMs: number;
  /** Milliseconds; the heartbeat. */
  readonly atMs: number;
  /** What was done a stretch before: the rate of late is the difference. */
  readonly earlier?: { readonly bytesDone: number; readonly atMs: number };
  /** Why this batch failed, when it did: a kind of errors.ts and a sentence. */
  readonly error?: { readonly kind: string; readonly message: string };
}
