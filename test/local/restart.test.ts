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
