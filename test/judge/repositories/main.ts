import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../scripts/free-port.ts';
import type { Judge, Judgement } from '../judge.ts';
import { judgement, readKnown } from '../suite.ts';
import { runVitest } from '../vitest.ts';

const MOTO = process.env['GLIMPSE_MOTO'] ?? 'moto_server';
const ROOT = join(import.meta.dirname, '../../..');

/** The repositories' own suite over a DynamoDB by others: what they rely on is DynamoDB's, not the embedded one's. */
export const repositories: Judge = {
  name: "The repositories' suite over moto's DynamoDB",
  folders: ['aws/dynamodb', 'test/support/conformance'],
  missing: () => {
    try {
      execFileSync(MOTO, ['--help'], { stdio: 'ignore' });
      return undefined;
    } catch {
      return "install moto (pip install 'moto[server]==5.2.5') and name moto_server in GLIMPSE_MOTO when it is not on the path";
    }
  },
  run,
};

async function run(): Promise<Judgement> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const moto = spawn(MOTO, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const ended = once(moto, 'close');
  try {
    await answering(endpoint);
    const verdicts = await runVitest(ROOT, 'test/contract', ['--project', 'service', 'repository.test.ts'], {
      GLIMPSE_TEST_DYNAMODB_ENDPOINT: endpoint,
    });
    return judgement(verdicts, readKnown(join(import.meta.dirname, 'known-differences.json')));
  } finally {
    moto.kill();
    await ended;
  }
}

/** Waits for a server that is being started. Throws after two minutes. */
async function answering(endpoint: string): Promise<void> {
  for (let left = 240; left > 0; left--) {
    if (
      await fetch(endpoint).then(
        (answer) => answer.arrayBuffer(),
        () => undefined,
      )
    )
      return;
    await sleep(500);
  }
  throw new Error(`moto does not answer at ${endpoint}`);
}
