import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { S3Error } from '../errors.ts';
import { type EventListener, EventQueue, type ObjectEvent } from '../events.ts';
import { BlobStore } from './blobs.ts';
import { Journal } from './journal.ts';
import { KeyIndex } from './key-index.ts';
import { lockDataDir } from './lock.ts';
import type { BucketRecord, CompletedUpload, Entry, Part, Segment, StoredObject, UploadRecord } from './model.ts';

/** A completed upload is remembered this long for repeated Complete calls. */
const COMPLETED_MEMORY_MS = 24 * 3600 * 1000;

/** An upload nobody finished or aborted for this long is aborted at start. */
const STALE_UPLOAD_MS = 7 * 24 * 3600 * 1000;

const SEQUENCER_DIGITS = 18;

/** A bucket with its objects in key order. */
export interface Bucket {
  record: BucketRecord;
  readonly objects: KeyIndex<StoredObject>;
}

/** An upload in progress with its parts by number. */
export interface Upload {
  readonly record: UploadRecord;
  readonly parts: Map<number, Part>;
}

/** How a store is opened. */
export interface StoreOptions {
  readonly dataDir: string;
  readonly fsync: boolean;
  readonly clock: () => number;
  readonly onEvent?: EventListener | undefined;
}

/**
 * Everything this S3 knows, in memory, and the one way to change it: `commit`, which journals an entry and then applies it in
 * the same turn of the event loop. Whoever checks a condition and commits without awaiting in between is atomic.
 */
export class Store {
  readonly buckets = new Map<string, Bucket>();
  readonly uploads = new Map<string, Upload>();
  readonly completed = new Map<string, CompletedUpload>();
  readonly blobs: BlobStore;
  readonly fsync: boolean;
  readonly clock: () => number;
  readonly #journal: Journal;
  readonly #unlock: () => void;
  readonly #undelivered = new Map<string, ObjectEvent>();
  readonly #events: EventQueue | undefined;
  #sequence = 0;

  /**
   * Opens the data directory, replays the journal, drops what no entry names and offers undelivered events again.
   * Throws DataDirLockedError when another process uses it, JournalError when the journal is damaged.
   */
  constructor(options: StoreOptions) {
    this.fsync = options.fsync;
    this.clock = options.clock;
    mkdirSync(join(options.dataDir, 'journal'), { recursive: true });
    this.#unlock = lockDataDir(join(options.dataDir, 'lock'));
    try {
      this.blobs = new BlobStore(join(options.dataDir, 'blobs'));
      this.#journal = Journal.open(join(options.dataDir, 'journal'), options.fsync, (entry) => this.#apply(entry));
      this.#expire();
      this.blobs.startServing();
    } catch (error) {
      this.#unlock();
      throw error;
    }
    if (options.onEvent !== undefined) {
      this.#events = new EventQueue(options.onEvent, ({ sequencer }) =>
        this.#write({ type: 'event-delivered', sequencer }),
      );
      for (const event of this.#undelivered.values()) this.#events.add(event);
    }
  }

  /** The bucket of that name. Throws NoSuchBucket. */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new S3Error('NoSuchBucket', undefined, {}, { BucketName: name });
    return bucket;
  }

  /** The object at that key. Throws NoSuchBucket, NoSuchKey. */
  object(bucket: string, key: string): StoredObject {
    const object = this.bucket(bucket).objects.get(key);
    if (object === undefined) throw new S3Error('NoSuchKey', undefined, {}, { Key: key });
    return object;
  }

  /** The upload of that id if it belongs to that bucket and key. Throws NoSuchBucket, NoSuchUpload. */
  upload(bucket: string, key: string, id: string): Upload {
    this.bucket(bucket);
    const upload = this.uploads.get(id);
    if (upload === undefined || upload.record.bucket !== bucket || upload.record.key !== key) {
      throw new S3Error('NoSuchUpload', undefined, {}, { UploadId: id });
    }
    return upload;
  }

  /** Journals and applies one change; resolves when it is as durable as asked for. The change is visible at once. */
  async commit(entry: Entry): Promise<void> {
    this.#write(entry);
    if ('event' in entry && entry.event !== undefined) this.#events?.add(entry.event);
    if (this.#journal.compactionDue) this.#journal.compact(() => this.#state()).catch(() => undefined);
    await this.#journal.settled();
  }

  /** The event for a change about to be committed, or nothing when nobody listens to that bucket. */
  eventFor(
    bucket: Bucket,
    event: Pick<ObjectEvent, 'name' | 'reason' | 'key' | 'size' | 'etag' | 'requestId'>,
  ): { readonly event?: ObjectEvent } {
    if (this.#events === undefined || !bucket.record.eventBridge) return {};
    const sequencer = this.#nextSequence().toString(16).toUpperCase().padStart(SEQUENCER_DIGITS, '0');
    const { name, region } = bucket.record;
    return { event: { ...event, bucket: name, region, sequencer, timeMs: this.clock() } };
  }

  /** Keeps the blobs of `segments` alive while `use` runs, whatever is overwritten or deleted meanwhile. */
  async holding<T>(segments: readonly Segment[], use: () => Promise<T>): Promise<T> {
    this.blobs.retain(segments);
    try {
      return await use();
    } finally {
      this.blobs.release(segments);
    }
  }

  async close(): Promise<void> {
    this.#events?.close();
    await this.#journal.close();
    this.#unlock();
  }

  #write(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  /** Microseconds of the clock, pushed on by one where the clock stands still or goes back. */
  #nextSequence(): number {
    this.#sequence = Math.max(this.#sequence + 1, Math.floor(this.clock() * 1000));
    return this.#sequence;
  }

  #apply(entry: Entry): void {
    switch (entry.type) {
      case 'bucket': {
        const known = this.buckets.get(entry.bucket.name);
        if (known === undefined) this.buckets.set(entry.bucket.name, { record: entry.bucket, objects: new KeyIndex() });
        else known.record = entry.bucket;
        break;
      }
      case 'bucket-deleted':
        this.buckets.delete(entry.name);
        break;
      case 'object':
        this.#putObject(entry.bucket, entry.key, entry.object);
        if (entry.completed !== undefined) this.#completeUpload(entry.completed);
        break;
      case 'object-deleted':
        this.#putObject(entry.bucket, entry.key, undefined);
        break;
      case 'upload':
        if (!this.uploads.has(entry.upload.id))
          this.uploads.set(entry.upload.id, { record: entry.upload, parts: new Map() });
        break;
      case 'part':
        this.#putPart(entry.id, entry.number, entry.part);
        break;
      case 'upload-aborted':
        this.#dropUpload(entry.id);
        break;
      case 'upload-completed':
        this.#completeUpload(entry.completed);
        break;
      case 'event':
        break;
      case 'event-delivered':
        this.#undelivered.delete(entry.sequencer);
        break;
      case 'sequence':
        this.#sequence = Math.max(this.#sequence, entry.value);
        break;
    }
    if ('event' in entry && entry.event !== undefined) this.#noteEvent(entry.event);
  }

  #noteEvent(event: ObjectEvent): void {
    this.#undelivered.set(event.sequencer, event);
    this.#sequence = Math.max(this.#sequence, Number.parseInt(event.sequencer, 16));
  }

  /** New references first, so that an object copied onto itself keeps its blobs. */
  #putObject(bucketName: string, key: string, object: StoredObject | undefined): void {
    const objects = this.buckets.get(bucketName)?.objects;
    const previous = objects?.get(key);
    if (object === undefined) objects?.delete(key);
    else if (objects !== undefined) {
      this.blobs.retain(object.segments);
      objects.set(key, object);
    }
    if (previous !== undefined) this.blobs.release(previous.segments);
  }

  #putPart(id: string, number: number, part: Part): void {
    const parts = this.uploads.get(id)?.parts;
    if (parts === undefined) return;
    const previous = parts.get(number);
    this.blobs.retain(part.segments);
    parts.set(number, part);
    if (previous !== undefined) this.blobs.release(previous.segments);
  }

  #dropUpload(id: string): void {
    const upload = this.uploads.get(id);
    this.uploads.delete(id);
    for (const part of upload?.parts.values() ?? []) this.blobs.release(part.segments);
  }

  #completeUpload(completed: CompletedUpload): void {
    this.completed.set(completed.id, completed);
    this.#dropUpload(completed.id);
  }

  #expire(): void {
    const now = this.clock();
    for (const { id, completedMs } of this.completed.values()) {
      if (now - completedMs > COMPLETED_MEMORY_MS) this.completed.delete(id);
    }
    for (const { record, parts } of [...this.uploads.values()]) {
      const lastMs = Math.max(record.initiatedMs, ...[...parts.values()].map((part) => part.modifiedMs));
      if (now - lastMs > STALE_UPLOAD_MS) this.#write({ type: 'upload-aborted', id: record.id });
    }
  }

  /** The state as entries, read while commits go on: later changes are in the next journal as well. */
  *#state(): Generator<Entry> {
    yield { type: 'sequence', value: this.#sequence };
    for (const bucket of [...this.buckets.values()]) {
      yield { type: 'bucket', bucket: bucket.record };
      for (const key of bucket.objects.keys()) {
        const object = bucket.objects.get(key);
        if (object !== undefined) yield { type: 'object', bucket: bucket.record.name, key, object };
      }
    }
    for (const { record, parts } of [...this.uploads.values()]) {
      yield { type: 'upload', upload: record };
      for (const [number, part] of [...parts]) yield { type: 'part', id: record.id, number, part };
    }
    for (const completed of [...this.completed.values()]) yield { type: 'upload-completed', completed };
    for (const event of [...this.#undelivered.values()]) yield { type: 'event', event };
  }
}
