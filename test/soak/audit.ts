/** Looks at a service at rest: what was acknowledged, what records say, what buckets hold, how tasks ended. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { Glimpse } from '../support/glimpse.ts';
import { BUCKETS, imageClient, s3Of, violations } from '../support/image-client.ts';
import { dutiesOf, settleDuties } from '../support/settle-duties.ts';
import type { Ledger } from './ledger.ts';

/** Of each thing that is waited for: on a machine with other work a start alone takes a minute. */
const WITHIN_MS = 300_000;
const POLL_MS = 500;

/** One sentence for each thing that is wrong when nobody is at work any more and the janitor has been everywhere. */
export async function audit(glimpse: Glimpse, ledger: Ledger): Promise<string[]> {
  await untilTrue(async () => (await glimpse.api('demo', 'GET', '/healthcheck')).ok);
  const isAtRest = await untilTrue(async () => (await unfinished(glimpse, ledger)).length === 0);
  if (!isAtRest) return (await unfinished(glimpse, ledger).catch(sentence)).map((text) => `not at rest: ${text}`);
  const isSettled = await untilTrue(async () => (await settleDuties(glimpse)) === 0);
  const left = isSettled ? [] : await dutiesOf(glimpse);
  const stray = await violations(glimpse);
  return [
    ...left.map(({ kind, id, imageId }) => `a duty is not settled: ${kind} ${id} of image ${imageId}`),
    ...stray,
    ...(await openUploads(glimpse)),
    ...(await ledger.losses(glimpse)),
  ];
}

/** False when it was not so in time. A service that is being started again answers nothing for a while. */
async function untilTrue(ask: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + WITHIN_MS;
  while (Date.now() < deadline) {
    if (await ask().catch(() => false)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** Images that somebody holds, and tasks that have not ended. */
async function unfinished(glimpse: Glimpse, ledger: Ledger): Promise<string[]> {
  const demo = imageClient(glimpse, 'demo');
  const found: string[] = [];
  for (const { id, isDeleted } of ledger.entries.values()) {
    if (isDeleted) continue;
    const response = await glimpse.api('demo', 'GET', `/v2/images/${id}`);
    const text = await response.text();
    if (response.status === 404) continue;
    if (response.status !== 200) throw new Error(`image ${id} answers ${response.status}: ${text}`);
    const image = JSON.parse(text) as Record<string, unknown>;
    if (['saving', 'importing'].includes(String(image['status'])) || image['os_glance_import_task'] !== undefined)
      found.push(`image ${id} is ${String(image['status'])}`);
    for (const task of await demo.tasks(id))
      if (task.status !== 'success' && task.status !== 'failure') found.push(`task ${task.id} is ${task.status}`);
  }
  return found;
}

const sentence = (error: Error): string[] => [error.message];

async function openUploads(glimpse: Glimpse): Promise<string[]> {
  const s3 = s3Of(glimpse);
  const found: string[] = [];
  for (const Bucket of BUCKETS) {
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    found.push(...Uploads.map(({ Key }) => `${Bucket}: an upload of ${Key} is open`));
  }
  return found;
}
