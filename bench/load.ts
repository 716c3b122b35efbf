/**
 * Mixed load on an image service, and a verdict: `node bench/load.ts --pid PID [--clients 500] [--minutes 10] [--mix list=30,show=30,...]
 * [--upload-mib 1] [--import-mib 64] [--rest 60]`.
 *
 * Drives whatever OS_* names, with connections that are kept. Each client has one kind of work, by its share of `--mix`, and begins the
 * next one when the last one is done; what it made it deletes. `--pid` is the service's first process: the memory of its tree is
 * printed for each tenth of the time. The verdict asks that no answer is a 5xx, but a 503 that says when to come back; that the last
 * tenth needs no more memory than 1.05 times the third; and that `--rest` seconds later it is at most 1.2 times that of before.
 */
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { treeBytes } from './memory.ts';
import { login, type Service } from './openstack.ts';

const { values } = parseArgs({
  options: {
    pid: { type: 'string' },
    clients: { type: 'string', default: '500' },
    minutes: { type: 'string', default: '10' },
    mix: { type: 'string', default: 'list=30,show=30,patch=20,upload=16,import=4' },
    'upload-mib': { type: 'string', default: '1' },
    'import-mib': { type: 'string', default: '64' },
    rest: { type: 'string', default: '60' },
  },
});
if (values.pid === undefined) throw new Error('--pid PID: the process of the service whose memory is watched');
const MIB = 1024 * 1024;
const TENTHS = 10;
const pid = Number(values.pid);
const clients = Number(values.clients);
const runMs = Number(values.minutes) * 60_000;
const upload = randomBytes(Number(values['upload-mib']) * MIB);
const staged = randomBytes(Number(values['import-mib']) * MIB);

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}
interface Call {
  readonly method: string;
  /** Below `/v2`. */
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly type?: string;
}
/** Sends one request and counts it under `name`; an answer that asks to come back is waited for, and sent again. */
type Ask = (name: string, call: Call) => Promise<Answer>;

/** A 5xx that is no 503 with Retry-After, or no answer at all. */
const wrong = new Map<string, number>();
const counted = new Map<string, { readonly took: number[]; readonly statuses: Map<string, number> }>();
const LONGEST_WAIT_MS = 5_000;
const JSON_TYPE = 'application/json';
const PATCH_TYPE = 'application/openstack-images-v2.1-json-patch';
let isOver = false;

function count(name: string, status: string, tookMs: number): void {
  const entry = counted.get(name) ?? { took: [], statuses: new Map<string, number>() };
  counted.set(name, entry);
  entry.took.push(tookMs);
  entry.statuses.set(status, (entry.statuses.get(status) ?? 0) + 1);
}

function fault(what: string): void {
  wrong.set(what, (wrong.get(what) ?? 0) + 1);
}

function asker({ url, token }: Service, agent: Agent): Ask {
  const send = ({ method, path, body, type = JSON_TYPE }: Call): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = {
        'x-auth-token': token,
        ...(body !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
      };
      const outgoing = request(`${url}${path}`, { method, headers, agent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        const { statusCode: status = 0, headers: said } = answer;
        answer.on('end', () =>
          resolve({ status, retryAfter: said['retry-after'], text: Buffer.concat(chunks).toString() }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  return async (name, call) => {
    for (;;) {
      const sent = performance.now();
      const answer = await send(call);
      count(name, String(answer.status), performance.now() - sent);
      const { status, retryAfter } = answer;
      const isToComeBack = status === 503 && retryAfter !== undefined;
      if (status >= 500 && !isToComeBack) fault(`${name}: HTTP ${status} ${answer.text.slice(0, 200)}`);
      if (!isToComeBack || isOver) return answer;
      await sleep(Math.min(LONGEST_WAIT_MS, Number(retryAfter) * 1000));
    }
  };
}

const idOf = ({ text }: Answer): string => (JSON.parse(text) as { readonly id: string }).id;
const imageBody = (name: string): string =>
  JSON.stringify({ name, disk_format: 'raw', container_format: 'bare', os_distro: 'debian' });

async function made(ask: Ask, name: string): Promise<string> {
  const answer = await ask('create', { method: 'POST', path: '/images', body: imageBody(name) });
  if (answer.status !== 201) throw new Error(`create: HTTP ${answer.status}`);
  return idOf(answer);
}

const remove = (ask: Ask, id: string): Promise<Answer> => ask('delete', { method: 'DELETE', path: `/images/${id}` });

/** One piece of work of a client; `image` is its own. */
type Work = (ask: Ask, image: string, n: number) => Promise<unknown>;

const WORK: Readonly<Record<string, Work>> = {
  list: (ask) => ask('list', { method: 'GET', path: '/images?limit=20&sort_key=name&sort_dir=asc' }),
  show: (ask, image) => ask('show', { method: 'GET', path: `/images/${image}` }),
  patch: (ask, image, n) => {
    const body = JSON.stringify([{ op: 'add', path: '/load', value: String(n) }]);
    return ask('patch', { method: 'PATCH', path: `/images/${image}`, body, type: PATCH_TYPE });
  },
  async upload(ask) {
    const id = await made(ask, 'load-upload');
    const type = 'application/octet-stream';
    await ask('upload', { method: 'PUT', path: `/images/${id}/file`, body: upload, type });
    await remove(ask, id);
  },
  async import(ask) {
    const id = await made(ask, 'load-import');
    const type = 'application/octet-stream';
    const begun = performance.now();
    const stage = await ask('stage', { method: 'PUT', path: `/images/${id}/stage`, body: staged, type });
    const body = JSON.stringify({ method: { name: 'glance-direct' } });
    const path = `/images/${id}/import`;
    const accepted = stage.status === 204 && (await ask('import', { method: 'POST', path, body })).status === 202;
    const status = accepted ? await settled(ask, id) : 'not accepted';
    count('imported', status, performance.now() - begun);
    if (status !== 'active' && !isOver) fault(`imported: ${status}`);
    await remove(ask, id);
  },
};

async function settled(ask: Ask, id: string): Promise<string> {
  for (;;) {
    const { text } = await ask('poll', { method: 'GET', path: `/images/${id}` });
    const { status } = JSON.parse(text) as { readonly status: string };
    if (!['uploading', 'importing', 'saving'].includes(status)) return status;
    await sleep(500);
  }
}

/** What each client does, shares of the mix in turn, at least one client for each kind. */
function roles(): string[] {
  const mix = values.mix.split(',').map((part) => part.split('='));
  for (const [name = ''] of mix) if (WORK[name] === undefined) throw new Error(`unknown work ${name}`);
  const sum = mix.reduce((total, [, share]) => total + Number(share), 0);
  return mix.flatMap(([name = '', share]) =>
    Array.from({ length: Math.max(1, Math.round((clients * Number(share)) / sum)) }, () => name),
  );
}

async function client(ask: Ask, role: string, image: string): Promise<void> {
  for (let n = 0; !isOver; n++) {
    try {
      await WORK[role]?.(ask, image, n);
    } catch (error) {
      if (!isOver) fault(`${role}: ${error instanceof Error ? error.message : String(error)}`);
      await sleep(200);
    }
  }
}

/** Mean resident MiB of the tree over so many milliseconds, looked at once a second. */
async function meanMib(ms: number): Promise<number> {
  const looks: number[] = [];
  for (const until = performance.now() + ms; performance.now() < until; ) {
    looks.push((await treeBytes(pid)) / MIB);
    await sleep(Math.min(1_000, ms));
  }
  return looks.reduce((sum, look) => sum + look, 0) / Math.max(1, looks.length);
}

function printCounts(seconds: number): void {
  for (const [name, { took, statuses }] of counted) {
    took.sort((a, b) => a - b);
    const at = (share: number): string =>
      (took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0).toFixed(1).padStart(8);
    const said = [...statuses].map(([status, times]) => `${status}×${times}`).join(' ');
    const rate = (took.length / seconds).toFixed(1).padStart(7);
    console.log(
      `${name.padEnd(9)}${String(took.length).padStart(8)} ${rate}/s  p50${at(0.5)} ms  p99${at(0.99)} ms  ${said}`,
    );
  }
}

const service = await login(process.env);
const idle = await meanMib(5_000);
const agent = new Agent({ keepAlive: true, maxSockets: clients + 50 });
const ask = asker(service, agent);
const all = roles();
console.log(`${service.url}: ${all.length} clients for ${values.minutes} minutes; idle ${idle.toFixed(0)} MiB`);
const images: string[] = [];
for (const [n] of all.entries()) images.push(await made(ask, `load-${n}`));
counted.clear();
const working = Promise.all(all.map((role, n) => client(ask, role, images[n] ?? '')));
const tenths: number[] = [];
for (let n = 1; n <= TENTHS; n++) {
  tenths.push(await meanMib(runMs / TENTHS));
  console.log(`${((n * runMs) / TENTHS / 1000).toFixed(0).padStart(5)} s ${tenths.at(-1)?.toFixed(0)} MiB`);
}
isOver = true;
await working;
printCounts(runMs / 1000);
const ending = [...images];
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (let id = ending.pop(); id !== undefined; id = ending.pop()) await remove(ask, id);
  }),
);
agent.destroy();
await sleep(Number(values.rest) * 1000);
const after = await meanMib(5_000);

const [third = 0, last = 0] = [tenths[2], tenths[TENTHS - 1]];
const verdicts: readonly (readonly [string, boolean])[] = [
  [`no fault: ${[...wrong.values()].reduce((sum, times) => sum + times, 0)}`, wrong.size === 0],
  [`flat: ${last.toFixed(0)} MiB in the last tenth, ${third.toFixed(0)} in the third`, last <= third * 1.05],
  [`back: ${after.toFixed(0)} MiB ${values.rest} s later, ${idle.toFixed(0)} before`, after <= idle * 1.2],
];
for (const [what, times] of wrong) console.log(`  ${times} × ${what}`);
for (const [what, isGood] of verdicts) console.log(`${isGood ? 'good' : 'BAD '} ${what}`);
process.exitCode = verdicts.every(([, isGood]) => isGood) ? 0 : 1;
