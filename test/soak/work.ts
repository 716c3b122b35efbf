/** Mixed work of clients who do not mind a service that goes away: what was answered goes into the ledger, the rest is asked again or left. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { converted } from '../support/converted.ts';
import type { Account, Glimpse } from '../support/glimpse.ts';
import { imageClient } from '../support/image-client.ts';
import { rawDisk } from '../support/raw-disk.ts';
import type { Entry, Ledger } from './ledger.ts';

const MIB = 1024 ** 2;
/** Images there are at most; more are not made. */
const MOST_IMAGES = 60;
const REQUEST_MS = 30_000;
const AFTER_FAILURE_MS = 300;
const SETTLES_WITHIN_MS = 20_000;

export interface Payload {
  readonly format: 'raw' | 'qcow2';
  readonly bytes: Buffer;
  readonly md5: string;
}

export async function makePayloads(): Promise<readonly Payload[]> {
  const raw = [1, 5, 33].map((mib) => rawDisk(mib * MIB));
  const qcow2 = await Promise.all(raw.map((disk) => converted(disk, { target: 'qcow2' })));
  const payload = (format: Payload['format']) => (bytes: Buffer) => {
    return { format, bytes, md5: createHash('md5').update(bytes).digest('hex') };
  };
  return [...raw.map(payload('raw')), ...qcow2.map(payload('qcow2'))];
}

/** Serves each payload as `/{its number}`, and compressed as `/{its number}.gz`, slowly enough to be interrupted. */
export async function serve(payloads: readonly Payload[]): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const [, n = '', gz] = /^\/(\d+)(\.gz)?$/.exec(request.url ?? '') ?? [];
    const bytes = payloads[Number(n)]?.bytes ?? Buffer.alloc(0);
    response.end(gz === undefined ? bytes : gzipSync(bytes));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}

export interface World {
  readonly ledger: Ledger;
  readonly payloads: readonly Payload[];
  readonly webUrl: string;
  /** The service as it runs now. */
  glimpse(): Glimpse;
  /** 0 to below 1. */
  random(): number;
}

type Operation = (world: World) => Promise<void>;

const OPERATIONS: readonly (readonly [weight: number, name: string, operation: Operation])[] = [
  [3, 'upload', (world) => withNewImage(world, 'upload', upload)],
  [3, 'stage and import', (world) => withNewImage(world, 'stage and import', stageAndImport)],
  [3, 'web-download', (world) => withNewImage(world, 'web-download', webDownload)],
  [2, 'copy-image', (world) => withActiveImage(world, 'copy-image', copyImage)],
  [2, 'patch', (world) => withActiveImage(world, 'patch', patch)],
  [2, 'delete', (world) => withActiveImage(world, 'delete', remove)],
];

/** Does one thing after another until it is told to stop. An operation that fails has not been acknowledged: no more. */
export async function keepBusy(world: World, isOver: () => boolean): Promise<void> {
  const total = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0);
  while (!isOver()) {
    await operationAt(world.random() * total)?.(world);
    await sleep(20);
  }
}

/** @param at below the sum of all weights */
function operationAt(at: number): Operation | undefined {
  let sum = 0;
  for (const [weight, , operation] of OPERATIONS) {
    sum += weight;
    if (at < sum) return operation;
  }
  return undefined;
}

const pick = <T>({ random }: World, from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];

async function counted(world: World, name: string, work: () => Promise<boolean>): Promise<void> {
  const isAcknowledged = await work().catch(() => false);
  world.ledger.count(name, isAcknowledged);
  if (!isAcknowledged) await untilItAnswers(world);
}

/** A service that is away gets no faster by being asked more. */
async function untilItAnswers({ glimpse }: World): Promise<void> {
  for (const end = Date.now() + REQUEST_MS; Date.now() < end; ) {
    await sleep(AFTER_FAILURE_MS);
    if (
      await fetch(`${glimpse().url}/healthcheck`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
  }
}

type OnImage = (world: World, entry: Entry, payload: Payload) => Promise<boolean>;

async function withNewImage(world: World, name: string, use: OnImage): Promise<void> {
  const payload = pick(world, world.payloads);
  const alive = [...world.ledger.entries.values()].filter(({ isCreated, isDeleted }) => isCreated && !isDeleted).length;
  if (payload === undefined || alive >= MOST_IMAGES)
    return withImage(world, 'delete', ({ isCreated }) => isCreated, remove);
  const entry = world.ledger.begin(randomUUID(), payload.md5);
  await counted(world, 'create', async () => {
    const body = { id: entry.id, disk_format: payload.format, container_format: 'bare' };
    entry.isCreated = (await ask(world, 'demo', 'POST', '/v2/images', body)) === 201;
    return entry.isCreated;
  });
  if (entry.isCreated) await counted(world, name, () => use(world, entry, payload));
  entry.isBusy = false;
}

const withActiveImage = (world: World, name: string, use: Use): Promise<void> =>
  withImage(world, name, ({ isActive }) => isActive, use);

type Use = (world: World, entry: Entry) => Promise<boolean>;

/** With one that nobody works on. What no upload was acknowledged for is removed too, or there would soon be nothing else. */
async function withImage(world: World, name: string, isFit: (entry: Entry) => boolean, use: Use): Promise<void> {
  const free = [...world.ledger.entries.values()].filter((entry) => isFit(entry) && !entry.isDeleting && !entry.isBusy);
  const entry = pick(world, free);
  if (entry === undefined) return;
  entry.isBusy = true;
  await counted(world, name, () => use(world, entry));
  entry.isBusy = false;
}

const upload: OnImage = async (world, entry, payload) => {
  entry.isActive = (await put(world, entry, 'file', payload.bytes)) === 204;
  return entry.isActive;
};

const stageAndImport: OnImage = async (world, entry, payload) => {
  if ((await put(world, entry, 'stage', payload.bytes)) !== 204) return false;
  return imported(world, entry, { name: 'glance-direct' });
};

const webDownload: OnImage = async (world, entry, payload) => {
  const suffix = payload.format === 'qcow2' && world.random() < 0.5 ? '.gz' : '';
  const uri = `${world.webUrl}/${world.payloads.indexOf(payload)}${suffix}`;
  return imported(world, entry, { name: 'web-download', uri });
};

async function imported(world: World, entry: Entry, method: object): Promise<boolean> {
  const stores = world.random() < 0.5 ? ['central'] : ['central', 'dcn0'];
  const body = { method, stores, all_stores_must_succeed: world.random() < 0.5 };
  if ((await ask(world, 'demo', 'POST', `/v2/images/${entry.id}/import`, body)) !== 202) return false;
  entry.isActive =
    (await imageClient(world.glimpse(), 'demo').settled(entry.id, SETTLES_WITHIN_MS)).status === 'active';
  return entry.isActive;
}

async function copyImage(world: World, { id }: Entry): Promise<boolean> {
  const body = { method: { name: 'copy-image' }, stores: ['dcn1'] };
  return (await ask(world, 'admin', 'POST', `/v2/images/${id}/import`, body)) === 202;
}

async function patch(world: World, entry: Entry): Promise<boolean> {
  const value = randomUUID();
  entry.sent.push(value);
  const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
  const body = JSON.stringify([{ op: 'add', path: '/soak', value }]);
  if ((await ask(world, 'demo', 'PATCH', `/v2/images/${entry.id}`, body, headers)) !== 200) return false;
  entry.property = value;
  entry.sent = [];
  return true;
}

async function remove(world: World, entry: Entry): Promise<boolean> {
  entry.isDeleting = true;
  entry.isDeleted = (await ask(world, 'demo', 'DELETE', `/v2/images/${entry.id}`)) === 204;
  return entry.isDeleted;
}

const put = (world: World, { id }: Entry, what: 'file' | 'stage', body: Buffer): Promise<number> =>
  ask(world, 'demo', 'PUT', `/v2/images/${id}/${what}`, body, { 'content-type': 'application/octet-stream' });

/** The status of the answer. @throws when there was none in time */
async function ask(
  world: World,
  account: Account,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<number> {
  const asked = world.glimpse().api(account, method, path, { body, headers });
  const late = sleep(REQUEST_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${method} ${path}: no answer within ${REQUEST_MS} ms`);
  });
  const response = await Promise.race([asked, late]);
  await response.arrayBuffer();
  return response.status;
}
