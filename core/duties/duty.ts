/** A thing that must be looked at when its time comes; the janitor works through them (design sections 4 and 6). */
export interface Duty {
  /** `upload:{writeId}`, `task:{taskId}`, `retired:{imageId}:{writeId}` … : one duty per thing. */
  readonly id: string;
  readonly kind: 'upload' | 'session' | 'task' | 'retired' | 'deleted' | 'metadef' | 'drop' | 'kept' | 'queued';
  readonly dueAtMs: number;
  /** Empty for `metadef`, `drop` and `queued`. */
  readonly imageId: string;
  readonly writeId?: string;
  /** Prefixes to sweep, for `retired`, `deleted` and `kept`. */
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
  /** As `put`, unless the duty is due after `lateEnoughMs` already: then it is left alone. Answers whether it was put. */
  postpone(duty: Duty, lateEnoughMs: number): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Duties due at `nowMs` or before, earliest first. */
  due(nowMs: number, limit: number): Promise<Duty[]>;
}

/** Of a verb that leaves something for later. */
export interface WithDuties {
  readonly duties: DutyRepository;
}
