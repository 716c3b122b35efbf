import { spawnSync } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { ONE_PROCESS } from '../support/one-process.ts';
import { type Running, startProcesses } from './processes.ts';

let running: Running | undefined;
afterEach(async () => {
  await running?.stop();
});

it.skipIf(ONE_PROCESS)(
  'a process that is up again while the other one is away is made known once that is back',
  async () => {
    const failures: string[] = [];
    const restarted: string[] = [];
    let endpoint = '';
    let isAwsKilled = false;
    running = await startProcesses({
      onRestart: async (name) => {
        if (!isAwsKilled) {
          isAwsKilled = true;
          process.kill(running?.aws.pid('aws') ?? 0, 'SIGKILL');
        }
        const answer = await fetch(`${endpoint}/_glimpse/health`);
        if (!answer.ok) throw new Error(`the port answers ${answer.status}`);
        restarted.push(name);
      },
      onFailure: (name, error) => void failures.push(`${name}: ${error.message}`),
    });
    endpoint = running.aws.endpoint;

    process.kill(running.aws.pid('control') ?? 0, 'SIGKILL');

    await expect.poll(() => restarted.toSorted(), { timeout: 30_000 }).toEqual(['aws', 'control']);
    expect(failures).toEqual([]);
  },
);

it.skipIf(ONE_PROCESS)('a process that dies again while it begins is started once more', async () => {
  const failures: string[] = [];
  const restarted: string[] = [];
  running = await startProcesses({
    onRestart: (name) => void restarted.push(name),
    onFailure: (name, error) => void failures.push(`${name}: ${error.message}`),
  });
  const first = running.aws.pid('control') ?? 0;
  process.kill(first, 'SIGKILL');

  await expect.poll(() => childOf('control-process', first), { timeout: 10_000, interval: 5 }).not.toBe(0);
  process.kill(childOf('control-process', first), 'SIGKILL');

  await expect.poll(() => restarted, { timeout: 30_000 }).toEqual(['control']);
  expect(failures).toEqual([]);
});

/** Process id of this process's child that runs an entry, other than one that is known; 0 when there is none. */
function childOf(entry: string, other: number): number {
  const { stdout } = spawnSync('ps', ['--ppid', String(process.pid), '-o', 'pid=,args='], { encoding: 'utf8' });
  const pids = stdout.split('\n').filter((line) => line.includes(entry));
  return pids.map((line) => Number(line.trim().split(/\s+/)[0])).find((pid) => pid !== other) ?? 0;
}
