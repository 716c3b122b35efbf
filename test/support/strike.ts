/** kill -9 of a running service's processes. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Glimpse, type StartOptions, startGlimpse } from './glimpse.ts';

/** The parent, its S3 process, its process of JSON services, or all of them. */
export const VICTIMS = ['parent', 's3', 'control', 'all'] as const;
export type Victim = (typeof VICTIMS)[number];

const ENTRIES = { s3: 'aws-process', control: 'control-process' } as const;
const GONE_WITHIN_MS = 10_000;

/**
 * Kills; starts again in the same folder when the parent is gone (a child that dies is started again by the parent).
 * @throws Error when a child is not there, or does not end with its parent
 */
export async function strike(
  glimpse: Glimpse,
  victim: Victim,
  options: StartOptions & { readonly dataDir: string },
): Promise<Glimpse> {
  const pids = childrenOf(glimpse);
  if (victim === 's3' || victim === 'control') {
    process.kill(pids[victim], 'SIGKILL');
    return glimpse;
  }
  if (victim === 'all') for (const pid of Object.values(pids)) process.kill(pid, 'SIGKILL');
  await glimpse.kill();
  const deadline = Date.now() + GONE_WITHIN_MS;
  while (Object.values(pids).some(isAlive)) {
    if (Date.now() > deadline) throw new Error(`children outlive their parent: ${Object.values(pids).filter(isAlive)}`);
    await sleep(20);
  }
  return startGlimpse(options);
}

function childrenOf({ pid: parent }: Glimpse): Readonly<Record<keyof typeof ENTRIES, number>> {
  // ps fails when it finds nothing.
  const { stdout } = spawnSync('ps', ['--ppid', String(parent), '-o', 'pid=,args='], { encoding: 'utf8' });
  const lines = stdout.trim().split('\n');
  const pidOf = (entry: string): number => {
    const pid = Number(
      lines
        .find((line) => line.includes(entry))
        ?.trim()
        .split(/\s+/)[0],
    );
    if (!(pid > 0)) throw new Error(`there is no ${entry} below ${parent}`);
    return pid;
  };
  return { s3: pidOf(ENTRIES.s3), control: pidOf(ENTRIES.control) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
