import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Another living process holds the data directory. The message is one line fit for a person. */
class DataDirLockedError extends Error {
  override readonly name = 'DataDirLockedError';
}

/** When a process started, in clock ticks since boot (Linux), so that a reused process id is not mistaken for its owner. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20] ?? '';
  } catch {
    return '';
  }
}

function identity(pid: number): string {
  return `${pid} ${startTime(pid)}\n`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function holderOf(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'latin1');
    const pid = Number.parseInt(text, 10);
    return Number.isInteger(pid) && isAlive(pid) && text === identity(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the lock file at `path` and returns the function that gives it back. A lock left by a dead process is taken over.
 * Throws DataDirLockedError naming the process that holds it.
 */
export function lockDataDir(path: string): () => void {
  const holder = holderOf(path);
  if (holder !== undefined) throw new DataDirLockedError(`S3 data directory is in use by process ${holder} (${path})`);
  rmSync(path, { force: true });
  try {
    writeFileSync(path, identity(process.pid), { flag: 'wx' });
  } catch (cause) {
    throw Object.assign(new DataDirLockedError(`S3 data directory cannot be locked (${path})`), { cause });
  }
  return () => rmSync(path, { force: true });
}
