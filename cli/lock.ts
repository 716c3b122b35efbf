/** One command per upload or download: a file with the process that has it. What a process that ended left behind is taken over. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { dirname } from 'node:path';

interface Holder {
  readonly pid: number;
  /** When the machine started, seconds of the epoch: process ids begin again then. */
  readonly bootedAt: number;
}

/** Clocks are set while machines run. */
const SAME_BOOT_SECONDS = 600;
const bootedAt = (): number => Math.round(Date.now() / 1000 - uptime());

/**
 * @returns gives the lock back
 * @throws Error naming the process that has it; the file system's errors
 */
export function takeLock(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const own = JSON.stringify({ pid: process.pid, bootedAt: bootedAt() } satisfies Holder);
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(file, own, { flag: 'wx', mode: 0o600 });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 0) throw error;
      const holder = holderOf(file);
      if (holder !== undefined && isAlive(holder)) {
        throw new Error(`process ${holder.pid} is at work on it already; if that is another program, remove ${file}`, {
          cause: error,
        });
      }
      rmSync(file, { force: true });
    }
  }
  const release = (): void => {
    process.off('exit', release);
    rmSync(file, { force: true });
  };
  process.once('exit', release);
  return release;
}

function holderOf(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (Math.abs(holder.bootedAt - bootedAt()) > SAME_BOOT_SECONDS) return false;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
