/** Imports into a service whose S3 and DynamoDB refuse a share of all calls: every one ends right. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { imageClient } from '../support/image-client.ts';
import { audit } from './audit.ts';
import { Ledger } from './ledger.ts';
import type { Payload } from './work.ts';

const FAILING = 0.05;
const AT_ONCE = 2;
const ATTEMPTS = 10;
const ENDS_WITHIN_MS = 120_000;

export interface FailingCalls {
  readonly imports: number;
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly payloads: readonly Payload[];
  readonly webUrl: string;
}

/** One sentence for each import that did not end right, and for what is left over. */
export async function underFailingCalls({ imports, seed, config, payloads, webUrl }: FailingCalls): Promise<string[]> {
  if (imports === 0) return [];
  const strict = { dynamodb: { throttleRate: FAILING, seed }, s3: { slowDownRate: FAILING, seed } };
  const env = { GLIMPSE_LOCAL_STRICT: JSON.stringify(strict) };
  const glimpse = await startGlimpse({ config, env, readyWithinMs: 120_000 });
  const ledger = new Ledger();
  const wrong: string[] = [];
  try {
    const queue = Array.from({ length: imports }, (_, n) => n).values();
    const lane = async (): Promise<void> => {
      for (const n of queue) {
        const payload = payloads[n % payloads.length];
        const uri = `${webUrl}/${n % payloads.length}`;
        if (payload === undefined) continue;
        const entry = ledger.begin(randomUUID(), payload.md5);
        const body = { id: entry.id, disk_format: payload.format, container_format: 'bare' };
        await insist(glimpse, 'POST', '/v2/images', body, [201, 409]);
        entry.isCreated = true;
        const request = { method: { name: 'web-download', uri }, all_stores: true };
        await insist(glimpse, 'POST', `/v2/images/${entry.id}/import`, request, [202, 409]);
        const { status } = await imageClient(glimpse, 'demo').settled(entry.id, ENDS_WITHIN_MS);
        entry.isActive = status === 'active';
        if (!entry.isActive) {
          const tasks = await imageClient(glimpse, 'demo').tasks(entry.id);
          wrong.push(`import ${n} ended ${status}: ${tasks.map(({ message }) => message).join('; ')}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    wrong.push(...(await audit(glimpse, ledger)));
  } finally {
    await glimpse.stop();
  }
  const right = [...ledger.entries.values()].filter(({ isActive }) => isActive).length;
  console.log(`${right} of ${imports} imports ended right while ${FAILING * 100} % of the calls failed`);
  return wrong;
}

/** As a client does: 503 and its like are asked again. @throws Error when that does not help */
async function insist(glimpse: Glimpse, method: string, path: string, body: object, good: readonly number[]) {
  for (let attempt = 1; ; attempt++) {
    const response = await glimpse.api('demo', method, path, { body });
    const text = await response.text();
    if (good.includes(response.status)) return;
    if (attempt === ATTEMPTS) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    await sleep(200 * attempt);
  }
}
