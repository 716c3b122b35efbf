/** A whole service for tests, started as a user starts it: `node scripts/start.ts` with free ports and a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

const ROOT = join(import.meta.dirname, '../..');

export type Account = 'admin' | 'demo' | 'alt' | 'reader';

export interface Glimpse {
  readonly url: string;
  readonly awsEndpoint: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Milliseconds from spawn to the greeting. */
  readonly readyMs: number;
  /** Everything printed so far. */
  output(): string;
  /** Runs a client command with an account's OS_* variables; resolves with stdout. @throws with stderr in the message */
  client(
    account: Account,
    command: string,
    args: readonly string[],
    options?: { readonly timeoutMs?: number },
  ): Promise<string>;
  /** The client's answer parsed as JSON; `-f json` is added. */
  openstack<T = Record<string, unknown>>(account: Account, ...args: string[]): Promise<T>;
  /** An HTTP request with a token of the account. */
  api(
    account: Account,
    method: string,
    path: string,
    init?: { readonly body?: unknown; readonly headers?: Record<string, string> },
  ): Promise<Response>;
  /** A token of the account, for requests that `api` cannot make. */
  token(account: Account): Promise<string>;
  /** kill -9 of the whole tree or one process; resolves when it is gone. */
  kill(): Promise<void>;
  stop(): Promise<number | null>;
}

export interface StartOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of a service that ran before; default: a new temporary directory. */
  readonly dataDir?: string;
  readonly port?: number;
  readonly awsPort?: number;
  /** Milliseconds until it must be ready; default 120,000, as deployed 600,000. */
  readonly readyWithinMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The whole suite as a deployment has it: packages in processes, roles, an AWS as strict as it can be (local/README.md). */
export const AS_DEPLOYED = process.env['GLIMPSE_TEST_AS_DEPLOYED'] !== undefined;

/** @throws Error with the output when it does not get ready in time */
export async function startGlimpse(options: StartOptions = {}): Promise<Glimpse> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'glimpse-test-')));
  const configFile = join(dataDir, '..', `${dataDir.split('/').at(-1)}.config.json`);
  if (options.config !== undefined) await writeFile(configFile, JSON.stringify(options.config));
  const begun = performance.now();
  const child = spawn(process.execPath, ['scripts/start.ts', ...(AS_DEPLOYED ? ['--as-deployed'] : [])], {
    cwd: ROOT,
    env: {
      ...process.env,
      // That of a shell is of its clients.
      AWS_ENDPOINT_URL: '',
      ...options.env,
      GLIMPSE_PORT: String(options.port ?? 0),
      GLIMPSE_AWS_PORT: String(options.awsPort ?? 0),
      GLIMPSE_DATA: dataDir,
      GLIMPSE_CONFIG: options.config === undefined ? '' : configFile,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const collect = (chunk: Buffer): void => {
    printed += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const [, url = '', awsEndpoint = ''] = await greeting(
    child,
    () => printed,
    options.readyWithinMs ?? (AS_DEPLOYED ? 600_000 : 120_000),
  );
  const readyMs = performance.now() - begun;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const tokens = new Map<Account, Promise<string>>();
  const token = (account: Account): Promise<string> => {
    const known = tokens.get(account) ?? newToken(url, dataDir, account);
    tokens.set(account, known);
    // The next one asks anew.
    known.catch(() => tokens.delete(account));
    return known;
  };
  const glimpse: Glimpse = {
    url,
    awsEndpoint,
    dataDir,
    pid: child.pid ?? 0,
    readyMs,
    output: () => printed,
    async client(account, command, args, { timeoutMs = 400_000 } = {}) {
      const env = { ...process.env, ...(await credentials(dataDir, account)) };
      return runClient(command, args, { env, cwd: dataDir, timeoutMs });
    },
    async openstack<T>(account: Account, ...args: string[]) {
      return JSON.parse(await glimpse.client(account, 'openstack', [...args, '-f', 'json'])) as T;
    },
    async api(account, method, path, { body, headers = {} } = {}) {
      const streamed = body instanceof Readable || body instanceof ReadableStream;
      return fetch(url + path, {
        method,
        headers: { 'x-auth-token': await token(account), ...headers },
        ...(body === undefined ? {} : { body: bodyOf(body) }),
        ...(streamed ? { duplex: 'half' as const } : {}),
      });
    },
    token,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      await rm(configFile, { force: true });
      return code;
    },
  };
  return glimpse;
}

function bodyOf(body: unknown): NonNullable<RequestInit['body']> {
  if (body instanceof Readable) return Readable.toWeb(body) as ReadableStream<Uint8Array>;
  if (typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream)
    return body as Uint8Array<ArrayBuffer>;
  return JSON.stringify(body);
}

async function greeting(child: ChildProcess, printed: () => string, withinMs: number): Promise<RegExpExecArray> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const match = /is ready: (http:\S+) \(identity \S+, [^,]* (http:[^,]+), data [\s\S]*GLIMPSE_CONFIG names/.exec(
      printed(),
    );
    if (match !== null) return match;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`the service did not get ready:\n${printed()}`);
}

const OPENRC = { admin: 'openrc', demo: 'openrc-demo', alt: 'openrc-alt', reader: 'openrc-reader' } as const;

/** OS_* variables of an account, from the file a user would source. */
export async function credentials(dataDir: string, account: Account): Promise<Record<string, string>> {
  const text = await readFile(join(dataDir, OPENRC[account]), 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/^export (\w+)='?([^'\n]*)'?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

async function newToken(url: string, dataDir: string, account: Account): Promise<string> {
  const os = await credentials(dataDir, account);
  const response = await fetch(`${url}/identity/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: os['OS_USERNAME'], domain: { name: 'Default' }, password: os['OS_PASSWORD'] } },
        },
        scope: { project: { name: os['OS_PROJECT_NAME'], domain: { name: 'Default' } } },
      },
    }),
  });
  if (response.status !== 201) throw new Error(`no token for ${account}: ${response.status} ${await response.text()}`);
  return response.headers.get('x-subject-token') ?? '';
}

/** Ends what hangs; as deployed every step begins by starting a process, on a machine with any amount of other work. */
const HANGS_MS = AS_DEPLOYED ? 800_000 : 300_000;

/** The image once no import holds it any more. @throws Error with its last state after `timeoutMs` */
export async function settled(
  glimpse: Glimpse,
  account: Account,
  id: string,
  timeoutMs = HANGS_MS,
): Promise<Record<string, unknown>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const response = await glimpse.api(account, 'GET', `/v2/images/${id}`);
    if (response.status >= 500 && Date.now() < deadline) {
      // A part of the service is being restarted.
      await response.arrayBuffer();
      await new Promise((resolve) => setTimeout(resolve, 200));
      continue;
    }
    const image = (await response.json()) as Record<string, unknown>;
    const busy = ['saving', 'importing', 'uploading'].includes(String(image['status']));
    if (response.status !== 200 || (image['os_glance_import_task'] === undefined && !busy)) return image;
    if (Date.now() > deadline)
      throw new Error(`image ${id} did not settle: ${JSON.stringify(image)}\n${glimpse.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A command with an environment; resolves with stdout. stdin is closed: the clients take anything else that is no terminal for image data. */
export function runClient(
  command: string,
  args: readonly string[],
  { env, cwd, timeoutMs }: { env: NodeJS.ProcessEnv; cwd: string; timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', 'exec "$0" "$@" <&-', command, ...args], {
      env,
      cwd,
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const stdout = Buffer.concat(out).toString();
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ${args.join(' ')}: exit ${code}\n${Buffer.concat(err).toString()}${stdout}`));
    });
  });
}
