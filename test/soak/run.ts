/**
 * Kills a working service, again and again: `npm run soak -- [--kills N] [--imports N] [--seed N] [--minutes N]`. First so many imports while
 * 5 % of the calls of S3 and DynamoDB fail; then mixed work, while `kill -9` strikes a process of it at random moments, N times (200 when absent)
 * or until the minutes are over. After each five kills and at the end the janitor settles what is due, and everything is accounted for:
 * what was acknowledged, records and bytes, tasks. Exit 1 when something is not as it must be. A seed gives the same order of kills and
 * work, not the same moments.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { randomFrom } from '../support/random.ts';
import { strike, VICTIMS, type Victim } from '../support/strike.ts';
import { audit } from './audit.ts';
import { underFailingCalls } from './failing-calls.ts';
import { Ledger } from './ledger.ts';
import { keepBusy, makePayloads, serve, type World } from './work.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    imports: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '120' },
  },
});
const KILLS = Number(values.kills);
const DEADLINE = Date.now() + Number(values.minutes) * 60_000;
/** Kills between two audits. */
const ROUND = 5;
const CLIENTS = 4;
/** Of the kills that strike a service at work; the others may strike one that is being started. */
const AT_WORK = 0.75;
/** Before a kill. Milliseconds. */
const PAUSE_MS = { least: 100, most: 4_000 };
const READY_WITHIN_MS = 120_000;

const seed = Number(values.seed);
const random = randomFrom(seed);
console.log(`seed ${seed}: ${values.imports} imports under failing calls, ${KILLS} kills`);
const payloads = await makePayloads();
const web = await serve(payloads);
const config = {
  image_import_plugins: ['image_decompression'],
  import_filtering_opts: { allow_private_addresses: true, allowed_ports: [] },
};
const dataDir = await mkdtemp(join(tmpdir(), 'glimpse-soak-'));
const options = { dataDir, config, readyWithinMs: READY_WITHIN_MS };
const wrong: string[] = [];
let killed = 0;
let glimpse: Glimpse | undefined;
try {
  wrong.push(
    ...(await underFailingCalls({ imports: Number(values.imports), seed, config, payloads, webUrl: web.url })),
  );
  glimpse = await startGlimpse(options);
  await killing(glimpse);
} catch (error) {
  wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  web.close();
  if (wrong.length > 0) console.log(glimpse?.output().slice(-4_000));
  await glimpse?.stop();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
const made = `${killed} of ${KILLS} kills${killed < KILLS && wrong.length === 0 ? ', the minutes were over' : ''}`;
console.log(`verdict after ${made}: ${wrong.length === 0 ? 'everything is accounted for' : `${wrong.length} wrong`}`);
for (const text of wrong) console.log(`  ${text}`);
process.exit(wrong.length === 0 ? 0 : 1);

async function killing(started: Glimpse): Promise<void> {
  let current = started;
  const ledger = new Ledger();
  const world: World = { ledger, payloads, webUrl: web.url, glimpse: () => current, random };
  const kills: Record<Victim, number> = { parent: 0, s3: 0, control: 0, all: 0 };
  while (killed < KILLS && Date.now() < DEADLINE && wrong.length === 0) {
    let isOver = false;
    const clients = Array.from({ length: CLIENTS }, () => keepBusy(world, () => isOver));
    for (const end = Math.min(KILLS, killed + ROUND); killed < end && Date.now() < DEADLINE; killed++) {
      if (random() < AT_WORK) await untilReady(current);
      await sleep(PAUSE_MS.least + random() * (PAUSE_MS.most - PAUSE_MS.least));
      const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? 'all';
      current = glimpse = await struckWhenReady(current, victim);
      kills[victim] += 1;
    }
    isOver = true;
    await Promise.all(clients);
    wrong.push(...(await audit(current, ledger)));
    console.log(
      `${killed} kills ${JSON.stringify(kills)}, ${ledger.entries.size} images asked for, ${wrong.length} wrong`,
    );
  }
  for (const [name, { asked, acknowledged }] of ledger.counts) console.log(`${name}: ${acknowledged} of ${asked}`);
  console.log(`${ledger.compared} downloads compared`);
}

/** Or a minute is over. */
async function untilReady({ url }: Glimpse): Promise<void> {
  for (let attempt = 1; attempt <= 300; attempt++) {
    const isReady = await fetch(`${url}/healthcheck`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await sleep(200);
  }
}

/** A child that was killed a moment ago may not be there yet. */
async function struckWhenReady(current: Glimpse, victim: Victim): Promise<Glimpse> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await strike(current, victim, options);
    } catch (error) {
      if (attempt === 50 || !String(error).includes('there is no')) throw error;
      await sleep(100);
    }
  }
}
