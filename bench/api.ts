/**
 * Requests per second of an image service: `node bench/api.ts [--operations list,show,create,patch,patch-one,page,deep-page]
 * [--clients 1,16] [--seconds 5] [--close] [--pid PID]`.
 *
 * Drives whatever OS_* names, so that Glance and Glimpse are measured side by side; run it as admin and as member. `--close` opens a
 * connection per request, as the command line clients do. `page` and `deep-page` are the first and the 200th page (or the last full
 * one) exactly as `glance image-list` asks for them. `patch` gives each client an image of its own, `patch-one` sends all of them to
 * one image and then looks whether an update was lost. `--pid` reports the peak memory of that process and its children.
 * What was made is deleted at the end; bench/fill.ts makes the catalogue.
 */
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { treeBytes, watchMemory } from './memory.ts';
import { type Service, servicesToMeasure } from './openstack.ts';

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: 'list,show,create,patch,patch-one,page,deep-page' },
    clients: { type: 'string', default: '1,16' },
    seconds: { type: 'string', default: '5' },
    close: { type: 'boolean', default: false },
    pid: { type: 'string' },
  },
});
const seconds = Number(values.seconds);

interface Call {
  readonly method: string;
  /** Below `/v2`. */
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
}
interface Answer {
  readonly status: number;
  readonly text: string;
}
type Send = (call: Call) => Promise<Answer>;

/** What the clients of one run do: `call` is asked for each request, `after` once at the end. */
interface Load {
  call(client: number, n: number): Call;
  answered?(client: number, answer: Answer): void;
  /** What was wrong, or an empty text. */
  after?(): Promise<string>;
}

function sender({ url, token }: Service, clients: number): { send: Send; end(): void } {
  const agent = values.close ? false : new Agent({ keepAlive: true, maxSockets: clients });
  const send: Send = ({ method, path, body, type = 'application/json' }) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      'x-auth-token': token,
      accept: '*/*',
      ...(text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(`${url}${path}`, { method, headers, agent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  };
  return { send, end: () => (agent === false ? undefined : agent.destroy()) };
}

const PATCH = 'application/openstack-images-v2.1-json-patch';
const PAGE = '/images?limit=20&sort_key=name&sort_dir=asc';
const made: string[] = [];

async function create(send: Send, name: string): Promise<string> {
  const { status, text } = await send({ method: 'POST', path: '/images', body: { name } });
  if (status !== 201) throw new Error(`creating an image: HTTP ${status} ${text}`);
  const { id } = JSON.parse(text) as { id: string };
  made.push(id);
  return id;
}

const set = (id: string, key: string, value: string): Call => ({
  method: 'PATCH',
  path: `/images/${id}`,
  body: [{ op: 'add', path: `/${key}`, value }],
  type: PATCH,
});

/** The path of page 200 or, in a smaller catalogue, of the last full one. */
async function deepPage(send: Send): Promise<string> {
  let path = PAGE;
  for (let page = 1; page < 200; page++) {
    const { next } = JSON.parse((await send({ method: 'GET', path })).text) as { next?: string };
    if (next === undefined) break;
    path = next.replace(/^\/v2/, '');
  }
  return path;
}

const get = (path: string): Load => ({ call: () => ({ method: 'GET', path }) });

const LOADS: Readonly<Record<string, (send: Send, clients: number) => Promise<Load>>> = {
  list: async () => get('/images'),
  page: async () => get(PAGE),
  'deep-page': async (send) => get(await deepPage(send)),
  show: async (send) => get(`/images/${await create(send, 'bench-show')}`),
  create: async () => ({
    call: (client, n) => ({
      method: 'POST',
      path: '/images',
      body: {
        name: `bench-create-${client}-${n}`,
        disk_format: 'qcow2',
        container_format: 'bare',
        os_distro: 'debian',
      },
    }),
    answered: (_, { status, text }) => {
      if (status === 201) made.push((JSON.parse(text) as { id: string }).id);
    },
  }),
  patch: async (send, clients) => {
    const ids = await Promise.all(
      Array.from({ length: clients }, (_, client) => create(send, `bench-patch-${client}`)),
    );
    return { call: (client, n) => set(ids[client] ?? '', 'bench', String(n)) };
  },
  'patch-one': async (send, clients) => {
    const id = await create(send, 'bench-patch-one');
    const last = Array.from({ length: clients }, () => '');
    return {
      call(client, n) {
        last[client] = String(n);
        return set(id, `client_${client}`, String(n));
      },
      async after() {
        const image = JSON.parse((await send({ method: 'GET', path: `/images/${id}` })).text) as Record<
          string,
          unknown
        >;
        const lost = last.filter((value, client) => image[`client_${client}`] !== value).length;
        return lost === 0 ? '' : `${lost} updates lost`;
      },
    };
  },
};

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly statuses: string;
  readonly wrong: string;
}

/** Closed loop: each client sends its next request when the last one was answered. */
async function measure(service: Service, name: string, clients: number): Promise<Measured> {
  const { send, end } = sender(service, clients);
  const load = await LOADS[name]?.(send, clients);
  if (load === undefined) throw new Error(`unknown operation ${name}; there are ${Object.keys(LOADS).join(', ')}`);
  const took: number[] = [];
  const statuses = new Map<number, number>();
  const begun = performance.now();
  const until = begun + seconds * 1000;
  const client = async (_: unknown, number: number): Promise<void> => {
    for (let n = 0; performance.now() < until; n++) {
      const sent = performance.now();
      const answer = await send(load.call(number, n));
      took.push(performance.now() - sent);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      load.answered?.(number, answer);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsed = (performance.now() - begun) / 1000;
  const wrong = (await load.after?.()) ?? '';
  end();
  took.sort((a, b) => a - b);
  const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? Number.NaN;
  return {
    perSecond: took.length / elapsed,
    p50: at(0.5),
    p99: at(0.99),
    statuses: [...statuses].map(([status, count]) => `${status}×${count}`).join(' '),
    wrong,
  };
}

/** Sixteen at a time: there may be thousands. */
async function removeMade(service: Service): Promise<void> {
  const { send, end } = sender(service, 16);
  const work = async (): Promise<void> => {
    for (let id = made.pop(); id !== undefined; id = made.pop())
      await send({ method: 'DELETE', path: `/images/${id}` });
  };
  await Promise.all(Array.from({ length: 16 }, work));
  end();
}

const MIB = 1024 * 1024;
const [service] = await servicesToMeasure(undefined);
const pid = values.pid === undefined ? undefined : Number(values.pid);
const idle = pid === undefined ? 0 : await treeBytes(pid);
const memory = pid === undefined ? undefined : await watchMemory(pid);
console.log(`${service.url}, ${values.close ? 'a connection per request' : 'kept connections'}, ${seconds} s each`);
for (const name of values.operations.split(',')) {
  for (const clients of values.clients.split(',').map(Number)) {
    const { perSecond, p50, p99, statuses, wrong } = await measure(service, name, clients);
    console.log(
      `${name.padEnd(10)} ${String(clients).padStart(3)} clients ${perSecond.toFixed(1).padStart(8)} req/s  p50 ${p50.toFixed(1).padStart(7)} ms  p99 ${p99.toFixed(1).padStart(7)} ms  ${statuses} ${wrong}`,
    );
    await removeMade(service);
  }
}
if (memory !== undefined)
  console.log(`memory: ${(idle / MIB).toFixed(0)} MiB idle, ${(await memory.stop()).toFixed(0)} MiB more at the peak`);
