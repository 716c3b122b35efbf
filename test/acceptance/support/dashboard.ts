/** Debian's Horizon under gunicorn, on a port of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QUIET } from './consumers.ts';

export interface Dashboard {
  readonly url: string;
  /** What it printed so far, warnings of its libraries left out. */
  output(): string;
  stop(): Promise<void>;
}

/** @throws Error with its last words when it does not answer */
export async function startDashboard(port: number, authUrl: string): Promise<Dashboard> {
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    '/usr/bin/gunicorn',
    ['--bind', `127.0.0.1:${port}`, '--threads', '4', '--timeout', '300', 'django.core.wsgi:get_wsgi_application()'],
    {
      env: {
        ...process.env,
        ...QUIET,
        PYTHONPATH: join(import.meta.dirname, 'consumers/horizon'),
        DJANGO_SETTINGS_MODULE: 'glimpse_dashboard',
        DASHBOARD_SECRET: randomUUID(),
        OS_AUTH_URL: authUrl,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: it has a worker.
      detached: true,
    },
  );
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  const dashboard = {
    url,
    output: () => printed.replaceAll(/^.*(?:DeprecationWarning|warnings\.warn\().*\n/gm, ''),
    stop: () => end(child),
  };
  await untilLogInIsShown(dashboard, child);
  return dashboard;
}

async function untilLogInIsShown({ url, output, stop }: Dashboard, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt++) {
    const answer = await fetch(`${url}/auth/login/`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(200);
  }
  await stop();
  throw new Error(`the dashboard does not answer: ${output().slice(-3000)}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}
