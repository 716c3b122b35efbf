/** Debian's Keystone with SQLite, in a directory and on a port of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { freePort } from '../../../scripts/free-port.ts';

const run = promisify(execFile);
const ENV = { ...process.env, PATH: `/usr/sbin:/usr/bin:/sbin:/bin`, PYTHONWARNINGS: 'ignore' };

export const hasKeystone = existsSync('/usr/bin/keystone-manage');

export interface Keystone {
  /** `http://127.0.0.1:{port}/v3` */
  readonly url: string;
  readonly password: string;
  /** Requests as the administrator. @throws Error for a status that is no success */
  call<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  /** Every request that reached it, as `METHOD /path`, since the start. */
  log(): string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startKeystone(dir: string): Promise<Keystone> {
  const port = await freePort();
  const root = `http://127.0.0.1:${port}`;
  const url = `${root}/v3`;
  const password = 'admin of the tests';
  const conf = join(dir, 'keystone.conf');
  await mkdir(dir, { recursive: true });
  await writeFile(conf, configuration(dir));
  const manage = (...args: string[]): Promise<unknown> =>
    run('keystone-manage', ['--config-file', conf, ...args], { env: ENV });
  await manage('db_sync');
  // Keystone reads and writes on several connections: without a write-ahead log they lock each other out.
  new DatabaseSync(join(dir, 'keystone.sqlite')).exec('PRAGMA journal_mode = wal');
  const owner = ['--keystone-user', 'root', '--keystone-group', 'root'];
  if (process.getuid?.() === 0) await manage('fernet_setup', ...owner);
  else await manage('fernet_setup');
  await manage(
    ...['bootstrap', '--bootstrap-username', 'admin', '--bootstrap-password', password],
    ...['--bootstrap-project-name', 'admin', '--bootstrap-role-name', 'admin', '--bootstrap-region-id', 'RegionOne'],
    ...['--bootstrap-public-url', url],
  );

  let child: ChildProcess | undefined;
  let printed = '';
  let token: string | undefined;
  const keystone: Keystone = {
    url,
    password,
    log: () => printed,
    async start() {
      child = spawn('/usr/bin/keystone-wsgi-public', ['--host', '127.0.0.1', '--port', String(port)], {
        env: { ...ENV, OS_KEYSTONE_CONFIG_FILES: conf },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => {
          printed += chunk.toString();
        });
      await answers(url, child, () => printed);
    },
    async stop() {
      const ended = child;
      child = undefined;
      if (ended === undefined || ended.exitCode !== null) return;
      await new Promise<void>((resolve) => {
        ended.once('exit', () => resolve());
        ended.kill('SIGKILL');
      });
    },
    async call<T>(method: string, path: string, body?: unknown) {
      token ??= await issueToken(url, { user: 'admin', password, project: 'admin' });
      const response = await fetch(url + path, {
        method,
        headers: { 'x-auth-token': token, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}\n${printed.slice(-5000)}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
  };
  await keystone.start();
  return keystone;
}

export interface Account {
  readonly user: string;
  readonly password: string;
  readonly project: string;
}

/** A project, a user in it, and the user's roles there. Returns the ids. */
export async function addAccount(
  keystone: Keystone,
  { user, password, project }: Account,
  roles: readonly string[],
): Promise<{ userId: string; projectId: string }> {
  const known = await keystone.call<{ projects: { id: string }[] }>('GET', `/projects?name=${project}`);
  const { id: projectId } =
    known.projects[0] ??
    (
      await keystone.call<{ project: { id: string } }>('POST', '/projects', {
        project: { name: project, domain_id: 'default' },
      })
    ).project;
  const { id: userId } = (
    await keystone.call<{ user: { id: string } }>('POST', '/users', {
      user: { name: user, password, domain_id: 'default', default_project_id: projectId },
    })
  ).user;
  const all = await keystone.call<{ roles: { id: string; name: string }[] }>('GET', '/roles');
  for (const { id } of all.roles.filter(({ name }) => roles.includes(name)))
    await keystone.call('PUT', `/projects/${projectId}/users/${userId}/roles/${id}`);
  return { userId, projectId };
}

/** A role of the system, as it is needed to see the limits of projects. */
export async function grantSystem(keystone: Keystone, userId: string, role: string): Promise<void> {
  const { roles } = await keystone.call<{ roles: { id: string }[] }>('GET', `/roles?name=${role}`);
  await keystone.call('PUT', `/system/users/${userId}/roles/${roles[0]?.id}`);
}

/** The image service in the catalog. Returns the ids of service and public endpoint. */
export async function addImageEndpoint(
  keystone: Keystone,
  imageUrl: string,
): Promise<{ serviceId: string; endpointId: string }> {
  const { service } = await keystone.call<{ service: { id: string } }>('POST', '/services', {
    service: { type: 'image', name: 'glance' },
  });
  const add = (face: string) =>
    keystone.call<{ endpoint: { id: string } }>('POST', '/endpoints', {
      endpoint: { service_id: service.id, interface: face, region_id: 'RegionOne', url: imageUrl },
    });
  const { endpoint } = await add('public');
  await add('internal');
  return { serviceId: service.id, endpointId: endpoint.id };
}

/** A token scoped to the account's project. */
export async function issueToken(url: string, { user, password, project }: Account): Promise<string> {
  const response = await fetch(`${url}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name: user, domain: { id: 'default' }, password } } },
        scope: { project: { name: project, domain: { id: 'default' } } },
      },
    }),
  });
  if (response.status !== 201) throw new Error(`no token for ${user}: ${response.status} ${await response.text()}`);
  return response.headers.get('x-subject-token') ?? '';
}

/** What the clients read. */
export function osVariables(url: string, { user, password, project }: Account): Record<string, string> {
  return {
    ...{ OS_AUTH_URL: url, OS_USERNAME: user, OS_PASSWORD: password, OS_PROJECT_NAME: project },
    ...{ OS_USER_DOMAIN_NAME: 'Default', OS_PROJECT_DOMAIN_NAME: 'Default' },
    ...{ OS_IDENTITY_API_VERSION: '3', OS_IMAGE_API_VERSION: '2', OS_REGION_NAME: 'RegionOne' },
  };
}

function configuration(dir: string): string {
  return `[DEFAULT]
use_stderr = true
log_dir =
[database]
connection = sqlite:///${dir}/keystone.sqlite?timeout=60&check_same_thread=false
[token]
provider = fernet
[identity]
password_hash_rounds = 4
[fernet_tokens]
key_repository = ${dir}/fernet-keys
[fernet_receipts]
key_repository = ${dir}/fernet-keys
[credential]
key_repository = ${dir}/credential-keys
`;
}

async function answers(url: string, child: ChildProcess, printed: () => string): Promise<void> {
  for (let attempt = 0; attempt < 300 && child.exitCode === null; attempt++) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`Keystone did not come up:\n${printed()}`);
}
