import { type BigIntStats, statSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** A changed file is noticed at the first use after this. */
const LOOK_AGAIN_MS = 5_000;

export interface FollowedFiles<T> {
  /** As configured, for the log. */
  readonly paths: readonly string[];
  /** The files to watch now: what a folder holds may change. */
  readonly files: () => readonly string[];
  readonly read: () => T;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What some files say, as of at most five seconds ago: they are read here, and again when one of them came, went, or has another
 * time, size or inode. Files that cannot be used any more leave what they said before, and one line in the log for each change.
 * @throws at the first reading what `read` throws
 */
export function follow<T>({ paths, files, read, clock, log }: FollowedFiles<T>): () => T {
  let seen = versionsOf(files);
  let value = read();
  let lookedAtMs = clock.now();
  return () => {
    const now = clock.now();
    if (now - lookedAtMs < LOOK_AGAIN_MS) return value;
    lookedAtMs = now;
    const versions = versionsOf(files);
    if (versions === seen) return value;
    seen = versions;
    try {
      value = read();
      log.info('changed files are in force', { paths });
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      log.error('changed files cannot be used; what they said before holds', { paths, cause });
    }
    return value;
  };
}

function versionsOf(files: () => readonly string[]): string {
  try {
    return files()
      .map((file) => `${file} ${versionOf(file)}`)
      .join('\n');
  } catch {
    return 'unreadable';
  }
}

function versionOf(file: string): string {
  try {
    const { mtimeNs, size, ino }: BigIntStats = statSync(file, { bigint: true });
    return `${mtimeNs} ${size} ${ino}`;
  } catch {
    return 'unreadable';
  }
}
