import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * An append-only file of JSON lines: what was appended survives `kill -9` (not a power cut: nothing is fsynced). Without a
 * path nothing is kept. Writes are synchronous on purpose: a record is a few hundred bytes, and the caller may acknowledge
 * as soon as `append` returns.
 */
export interface Journal<T> {
  append(record: T): void;
  /** Replaces the content by `records`, atomically. */
  rewrite(records: readonly T[]): void;
  /** Records appended since the last rewrite (or found at opening). */
  readonly length: number;
  close(): void;
}

/** Opens a journal and returns the records found in it. A torn last line, left by a kill, is dropped. */
export function openJournal<T>(path: string | undefined): { journal: Journal<T>; records: T[] } {
  if (path === undefined) return { journal: memoryJournal(), records: [] };
  mkdirSync(dirname(path), { recursive: true });
  const records = readRecords<T>(path);
  let file = replace(path, records);
  let length = records.length;
  const journal: Journal<T> = {
    append: (record) => {
      writeAll(file, `${JSON.stringify(record)}\n`);
      length++;
    },
    rewrite: (kept) => {
      closeSync(file);
      file = replace(path, kept);
      length = kept.length;
    },
    get length() {
      return length;
    },
    close: () => closeSync(file),
  };
  return { journal, records };
}

function memoryJournal<T>(): Journal<T> {
  return { append: () => undefined, rewrite: () => undefined, length: 0, close: () => undefined };
}

function readRecords<T>(path: string): T[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as T];
    } catch {
      return []; // only a line cut by a kill does not parse: it was never acknowledged
    }
  });
}

function replace(path: string, records: readonly unknown[]): number {
  const temporary = `${path}.new`;
  writeFileSync(temporary, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  renameSync(temporary, path);
  return openSync(path, 'a');
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
}
