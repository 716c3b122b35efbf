import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEvent } from './history.ts';

/** Histories of ended executions kept in memory when there is no directory. */
const MEMORY_HISTORIES = 1000;

/** Keeps the histories of ended executions: a file each, or the last thousand in memory. */
export interface HistoryArchive {
  save(executionArn: string, events: readonly HistoryEvent[]): void;
  load(executionArn: string): readonly HistoryEvent[];
  remove(executionArn: string): void;
}

/** Opens the archive in a directory; without one it is in memory. */
export function historyArchive(directory: string | undefined): HistoryArchive {
  return directory === undefined ? memoryArchive() : fileArchive(directory);
}

function memoryArchive(): HistoryArchive {
  const kept = new Map<string, readonly HistoryEvent[]>();
  return {
    save: (arn, events) => {
      kept.set(arn, events);
      const oldest = kept.keys().next();
      if (kept.size > MEMORY_HISTORIES && !oldest.done) kept.delete(oldest.value);
    },
    load: (arn) => kept.get(arn) ?? [],
    remove: (arn) => kept.delete(arn),
  };
}

function fileArchive(directory: string): HistoryArchive {
  mkdirSync(directory, { recursive: true });
  const fileOf = (arn: string) =>
    join(directory, `${createHash('sha256').update(arn).digest('hex').slice(0, 40)}.json`);
  return {
    save: (arn, events) => writeFileSync(fileOf(arn), JSON.stringify(events)),
    load: (arn) => {
      try {
        return JSON.parse(readFileSync(fileOf(arn), 'utf8')) as HistoryEvent[];
      } catch {
        return []; // never written, or cut by a kill: the execution's record still says how it ended
      }
    },
    remove: (arn) => rmSync(fileOf(arn), { force: true }),
  };
}
