import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Entry } from './model.ts';

/** A new snapshot is due when the journal outgrows both this and the snapshot before it: replay stays under a second. */
const COMPACT_MIN_BYTES = 16 * 1024 * 1024;

/** Entries of a snapshot written between two turns of the event loop. */
const SNAPSHOT_BATCH = 500;

const PREFIX_LENGTH = 9;

/** The journal cannot be read back or written on; the message names file and position. */
class JournalError extends Error {
  override readonly name = 'JournalError';
}

function encode(entry: Entry): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

function decodeLine(line: Buffer): Entry | undefined {
  const json = line.subarray(PREFIX_LENGTH);
  if (line.length <= PREFIX_LENGTH || Number.parseInt(line.toString('latin1', 0, 8), 16) !== crc32(json))
    return undefined;
  return JSON.parse(json.toString('utf8')) as Entry;
}

/** Applies every whole line; returns the length of the valid part. A bad line that is not the last one is damage. */
function replayFile(path: string, apply: (entry: Entry) => void): number {
  const bytes = readFileSync(path);
  let position = 0;
  while (position < bytes.length) {
    const newline = bytes.indexOf(10, position);
    const entry = newline === -1 ? undefined : decodeLine(bytes.subarray(position, newline));
    if (entry === undefined) {
      if (newline !== -1 && newline < bytes.length - 1)
        throw new JournalError(`${path} is damaged at byte ${position}`);
      break;
    }
    apply(entry);
    position = newline + 1;
  }
  return position;
}

function generations(dir: string, kind: 'journal' | 'snapshot'): number[] {
  return readdirSync(dir)
    .flatMap((name) => new RegExp(`^${kind}-(\\d+)\\.log$`).exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Append-only log of every metadata change, and the only truth about objects: one checksummed line per commit, written with
 * one synchronous write, so commits have one order and a killed process leaves at most a torn last line, whose request was
 * never answered. `snapshot-N.log` (complete, renamed into place) holds the state that `journal-N.log` continues; a snapshot
 * is written while commits go on, which is right because entries are idempotent and journal N repeats what it overlaps.
 * Chosen over a record file per object: listings need the whole ordered index in memory anyway, 100,000 records load in
 * about a second, and a change of several things (object, upload, event) is one line.
 */
export class Journal {
  readonly #dir: string;
  readonly #fsync: boolean;
  #generation: number;
  #file: number;
  #length: number;
  #snapshotLength = 0;
  #broken = false;
  #compaction: Promise<void> | undefined;

  private constructor(dir: string, fsync: boolean, generation: number, file: number, length: number) {
    this.#dir = dir;
    this.#fsync = fsync;
    this.#generation = generation;
    this.#file = file;
    this.#length = length;
  }

  /** Opens the journal in `dir`, applying every entry in order. Throws JournalError when a line in the middle is damaged. */
  static open(dir: string, fsync: boolean, apply: (entry: Entry) => void): Journal {
    for (const name of readdirSync(dir)) if (name.endsWith('.tmp')) rmSync(join(dir, name));
    const base = generations(dir, 'snapshot').at(-1) ?? 0;
    let snapshotLength = 0;
    if (base > 0) snapshotLength = replayFile(join(dir, `snapshot-${base}.log`), apply);
    const live = generations(dir, 'journal').filter((generation) => generation >= base);
    let length = 0;
    for (const generation of live) length = replayFile(join(dir, `journal-${generation}.log`), apply);
    const generation = live.at(-1) ?? base;
    const file = openSync(join(dir, `journal-${generation}.log`), 'a');
    ftruncateSync(file, length);
    const journal = new Journal(dir, fsync, generation, file, length);
    journal.#snapshotLength = snapshotLength;
    journal.#removeBefore(base);
    return journal;
  }

  /** Writes one entry. When this returns the entry survives the death of the process. Throws what the write threw. */
  append(entry: Entry): void {
    if (this.#broken) throw new JournalError('the journal could not be repaired after a failed write');
    const line = Buffer.from(encode(entry));
    let written = 0;
    try {
      while (written < line.length) written += writeSync(this.#file, line, written);
    } catch (error) {
      this.#undoTornLine();
      throw error;
    }
    this.#length += line.length;
  }

  /** Resolves when everything appended so far is on the medium; at once unless `fsync` was asked for. */
  async settled(): Promise<void> {
    if (this.#fsync) await promisify(fdatasync)(this.#file);
  }

  /** True when a snapshot is worth its cost. */
  get compactionDue(): boolean {
    return this.#compaction === undefined && this.#length > Math.max(COMPACT_MIN_BYTES, this.#snapshotLength);
  }

  /** Starts the next journal and writes a snapshot of `state()` beside it. One at a time; failure leaves the old files. */
  compact(state: () => Iterable<Entry>): Promise<void> {
    this.#compaction ??= this.#writeSnapshot(state).finally(() => {
      this.#compaction = undefined;
    });
    return this.#compaction;
  }

  async close(): Promise<void> {
    await this.#compaction?.catch(() => undefined);
    this.#broken = true;
    closeSync(this.#file);
  }

  async #writeSnapshot(state: () => Iterable<Entry>): Promise<void> {
    const generation = this.#generation + 1;
    const next = openSync(join(this.#dir, `journal-${generation}.log`), 'ax');
    const previous = this.#file;
    [this.#file, this.#generation, this.#length] = [next, generation, 0];
    if (this.#fsync) fsyncSync(previous);
    closeSync(previous);
    const path = join(this.#dir, `snapshot-${generation}.log`);
    const file = openSync(`${path}.tmp`, 'w');
    let length = 0;
    let batch: string[] = [];
    const flush = (): void => {
      length += writeSync(file, batch.join(''));
      batch = [];
    };
    try {
      for (const entry of state()) {
        batch.push(encode(entry));
        if (batch.length < SNAPSHOT_BATCH) continue;
        flush();
        await new Promise(setImmediate);
      }
      flush();
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.tmp`, path);
    this.#snapshotLength = length;
    this.#removeBefore(generation);
  }

  #removeBefore(generation: number): void {
    for (const kind of ['journal', 'snapshot'] as const) {
      for (const old of generations(this.#dir, kind).filter((found) => found < generation)) {
        rmSync(join(this.#dir, `${kind}-${old}.log`));
      }
    }
  }

  #undoTornLine(): void {
    try {
      ftruncateSync(this.#file, this.#length);
    } catch {
      this.#broken = true;
    }
  }
}
