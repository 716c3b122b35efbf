import { expect, it, vi } from 'vitest';
import { workerPool } from '../../../local/lambda/worker-pool.ts';

const JOB = {
  module: `data:text/javascript,${encodeURIComponent("export const handler = async () => 'done';")}`,
  export: 'handler',
  event: null,
  context: { awsRequestId: 'r', functionName: 'f', invokedFunctionArn: 'arn', deadlineMs: 9e15 },
};

it('ends a thread that has had no work for a while, and starts one again for the next', async () => {
  const pool = workerPool({ size: 1, idleMs: 50 });
  const first = await pool.run(JOB);
  expect([first, pool.threads]).toEqual([{ payload: 'done' }, 1]);

  await vi.waitFor(() => expect(pool.threads).toBe(0), { timeout: 10_000 });
  const second = await pool.run(JOB);

  expect(second).toEqual(first);
  await pool.close();
});

it('keeps a thread that gets work in time', async () => {
  const pool = workerPool({ size: 1, idleMs: 60_000 });

  for (let n = 0; n < 3; n++) await pool.run(JOB);

  expect(pool.threads).toBe(1);
  await pool.close();
});
