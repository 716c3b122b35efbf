/** Debian's Swift with s3api and tempauth, in a directory and on ports of its own: a service of S3's protocol that is not like S3. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../../scripts/free-port.ts';

const run = promisify(execFile);
const ENV = { ...process.env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', PYTHONWARNINGS: 'ignore' };

export const hasSwift = ['proxy', 'account', 'container', 'object'].every((name) =>
  existsSync(`/usr/bin/swift-${name}-server`),
);

export interface Swift {
  readonly endpoint: string;
  readonly credentials: { readonly access_key: string; readonly secret_key: string };
  stop(): Promise<void>;
}

/** Its disk is a folder, whose file system keeps extended attributes. @throws Error with the last words of the proxy when it does not answer */
export async function startSwift(dir: string): Promise<Swift> {
  const etc = join(dir, 'etc');
  await mkdir(join(dir, 'disks/d1'), { recursive: true });
  await mkdir(etc);
  await writeFile(join(etc, 'swift.conf'), SWIFT_CONF);
  const children: ChildProcess[] = [];
  const said: string[] = [];
  const serve = (name: string): void => {
    const child = spawn(`swift-${name}-server`, [join(etc, `${name}.conf`)], {
      env: { ...ENV, SWIFT_DIR: etc },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: each server has workers.
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => said.push(text.toString()));
    children.push(child);
  };
  const stop = async (): Promise<void> => {
    await Promise.all(children.splice(0).map(end));
  };
  try {
    for (const name of ['account', 'container', 'object']) {
      const port = await freePort();
      await writeFile(join(etc, `${name}.conf`), storageConf(name, port, dir));
      const builder = join(etc, `${name}.builder`);
      const ring = async (...args: string[]) => run('swift-ring-builder', [builder, ...args], { env: ENV, cwd: etc });
      await ring('create', '4', '1', '1');
      await ring('add', `r1z1-127.0.0.1:${port}/d1`, '1');
      await ring('rebalance');
      serve(name);
    }
    const port = await freePort();
    await writeFile(join(etc, 'proxy.conf'), proxyConf(port, dir));
    serve('proxy');
    const endpoint = `http://127.0.0.1:${port}`;
    await untilHealthy(endpoint, said);
    return { endpoint, credentials: { access_key: 'test:tester', secret_key: 'testing' }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilHealthy(endpoint: string, said: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await fetch(`${endpoint}/healthcheck`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(200);
  }
  throw new Error(`Swift does not answer: ${said.join('').slice(-2000)}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}

const SWIFT_CONF = `[swift-hash]
swift_hash_path_prefix = glimpse
swift_hash_path_suffix = glimpse
[storage-policy:0]
name = default
default = yes
`;

const serverConf = (port: number, dir: string): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 1
swift_dir = ${join(dir, 'etc')}
user = ${userInfo().username}
`;

const storageConf = (name: string, port: number, dir: string): string => `${serverConf(port, dir)}
devices = ${join(dir, 'disks')}
mount_check = false
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
[${name}-replicator]
`;

const FILTERS = 'catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo symlink';
const FILTER_SETTINGS: Readonly<Record<string, string>> = {
  // Nobody listens there: nothing is kept between requests.
  cache: 'memcache_servers = 127.0.0.1:9',
  s3api: 'location = us-east-1\ndns_compliant_bucket_names = no',
  tempauth: 'user_test_tester = testing .admin',
};

const proxyConf = (port: number, dir: string): string => `${serverConf(port, dir)}
[pipeline:main]
pipeline = ${FILTERS} proxy-server
${FILTERS.split(' ')
  .map(
    (name) =>
      `[filter:${name}]\nuse = egg:swift#${name === 'cache' ? 'memcache' : name}\n${FILTER_SETTINGS[name] ?? ''}`,
  )
  .join('\n')}
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
`;
