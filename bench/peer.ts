/**
 * The Glance beside which this service is measured: `npx node bench/peer.ts up`, later `… down`. It is Debian's, as `../shared/peer/up`
 * brings it up with its PEER_* settings. GLIMPSE_PEER_GLANCE names a virtual environment with `glance`, `gunicorn` and `PyMySQL` of PyPI:
 * that release then, with the same settings, stores and Keystone, and a database of its own (PEER_STATE, default /tmp/peer-current).
 * It runs under gunicorn, since `glance-api` starts no server any more. Benchmarks print which it is.
 */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { glanceRelease } from './versions.ts';

const PEER = join(import.meta.dirname, '../../shared/peer');
const venv = process.env['GLIMPSE_PEER_GLANCE'];
const env = venv === undefined ? process.env : { PEER_STATE: '/tmp/peer-current', ...process.env };
const { PEER_STATE: state = '/tmp/peer', PEER_GLANCE_PORT: port = '19292', PEER_WORKERS: workers = '2' } = env;
const options = { env, stdio: 'inherit' } as const;

const { positionals } = parseArgs({ allowPositionals: true });
if (positionals[0] === 'up') {
  execFileSync(join(PEER, 'up'), options);
  if (venv !== undefined) await replaceGlance(venv);
  console.log(`peer: ${glanceRelease()}`);
  console.log(`--peer-openrc ${join(PEER, 'openrc')} finds it with PEER_STATE=${state} PEER_GLANCE_PORT=${port}`);
} else if (positionals[0] === 'down') execFileSync(join(PEER, 'down'), options);
else throw new Error('peer.ts up, or peer.ts down');

/** Ends Debian's, takes its settings and its database over, and starts the other release where it listened. */
async function replaceGlance(at: string): Promise<void> {
  const etc = join(state, 'etc/glance');
  execFileSync(join(PEER, 'down'), ['glance'], options);
  copyFileSync(join(at, 'etc/glance/glance-api-paste.ini'), join(etc, 'glance-api-paste.ini'));
  execFileSync(join(at, 'bin/glance-manage'), ['--config-file', join(etc, 'glance-api.conf'), 'db_sync'], options);
  const log = openSync(join(state, 'log/glance.log'), 'a');
  const child = spawn(
    join(at, 'bin/gunicorn'),
    [
      ...['--bind', `127.0.0.1:${port}`, '--workers', workers, '--threads', '8', '--timeout', '600'],
      'glance.wsgi.api:application',
    ],
    { cwd: state, env: { ...env, OS_GLANCE_CONFIG_DIR: etc }, stdio: ['ignore', log, log], detached: true },
  );
  writeFileSync(join(state, 'run/glance.pid'), String(child.pid));
  // `up` compares it: what runs here is not what it would start.
  writeFileSync(join(state, 'run/glance.hash'), 'of PyPI\n');
  child.unref();
  await untilHealthy();
}

async function untilHealthy(): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthcheck`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(200);
  }
  throw new Error(`Glance did not come up; see ${join(state, 'log/glance.log')}`);
}
