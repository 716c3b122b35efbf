/** The gateway's image without docker: the same file set, the same user rights on files, the same command. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instructions, lastStage, layOut } from './dockerfile.ts';
import { ROOT } from './graph.ts';

const dockerfile = join(ROOT, 'gateway/Dockerfile');
let app: string;
let gateway: ChildProcess;
let base: string;
let port: number;
let log = '';

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'glimpse-image-'));
  await layOut(ROOT, dockerfile, app);
  await installed(app);
  port = await freePort();
  base = `http://127.0.0.1:${port}`;
  gateway = spawn(process.execPath, await command(), {
    cwd: app,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [gateway.stdout, gateway.stderr])
    stream?.on('data', (chunk) => {
      log += String(chunk);
    });
  await untilHealthy();
});
afterAll(async () => {
  gateway?.kill('SIGKILL');
  await rm(app, { recursive: true, force: true });
});

/** What `npm ci --omit=dev --omit=optional` leaves: what only development needs, and the Node of a checkout, are not there. */
async function installed(folder: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  const top = new Set<string>();
  for (const [path, { dev, optional }] of Object.entries(lock.packages)) {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
    if (name !== undefined && dev !== true && optional !== true) top.add(name);
  }
  for (const name of top) {
    const to = join(folder, 'node_modules', name);
    await mkdir(join(to, '..'), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), to);
  }
}

async function command(): Promise<string[]> {
  const cmd = lastStage(await instructions(dockerfile)).find(({ keyword }) => keyword === 'CMD');
  const [node, ...args] = JSON.parse(cmd?.rest ?? '[]') as string[];
  expect(node).toBe('node');
  return args;
}

function environment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'production',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    GLIMPSE_TABLE: 'glimpse',
    GLIMPSE_STAGING_BUCKET: 'staging',
    GLIMPSE_IMPORT_WORKFLOW: 'arn:aws:states:us-east-1:123456789012:stateMachine:import-image',
    GLIMPSE_CONFIG: 'infra/config/dev.json',
    GLIMPSE_PUBLIC_ENDPOINT: 'https://images.example.org/',
    GLIMPSE_VERIFICATION_KEYS: VERIFICATION_KEYS,
    GLIMPSE_GATEWAY_PORT: String(port),
  };
}

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const VERIFICATION_KEYS = JSON.stringify([{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }]);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  return free;
}

async function untilHealthy(): Promise<void> {
  const ended = once(gateway, 'exit').then(([code]) => {
    throw new Error(`the gateway ended with ${String(code)}: ${log}`);
  });
  ended.catch(() => undefined);
  const polled = (async () => {
    for (;;) {
      const answer = await fetch(`${base}/healthcheck`).catch(() => undefined);
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await Promise.race([polled, ended]);
}

test('the file set of the image is enough to answer requests', async () => {
  const unauthenticated = await fetch(`${base}/v2/images/d2f3cdf6-6a4e-4f77-9c4f-6a5d0f2a3b11/file`, {
    method: 'PUT',
    headers: { 'x-auth-token': 'nonsense' },
    body: 'bytes',
  });

  expect(unauthenticated.status).toBe(401);
  // Its own host is one that only CloudFront knows.
  expect(unauthenticated.headers.get('www-authenticate')).toContain('https://images.example.org/identity');
});

test('its health check says yes while it runs and no at another port', async () => {
  const check = async (at: number) => {
    const child = spawn(process.execPath, ['gateway/health.ts'], {
      cwd: app,
      env: { PATH: process.env['PATH'] ?? '', GLIMPSE_GATEWAY_PORT: String(at) },
    });
    const [code] = await once(child, 'exit');
    return code;
  };

  expect(await check(port)).toBe(0);
  expect(await check(1)).toBe(1);
});

test('it holds every step that the workflow runs as a container', async () => {
  const run = async (...args: string[]) => {
    const child = spawn(process.execPath, args, { cwd: app, env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
    const said = text(child.stderr);
    const [code] = await once(child, 'exit');
    return { code: code as number, said: await said };
  };
  const steps = ['fetch', 'plugin', 'hash', 'copy'].map((step) => `import('./functions/tasks/${step}.ts')`);

  const unknown = await run('functions/tasks/run-step.ts', 'import-nothing');
  const loaded = await run('--input-type=module', '-e', `await Promise.all([${steps.join()}]); process.exit(0);`);

  expect(unknown).toMatchObject({ code: 1, said: expect.stringContaining('There is no step import-nothing') });
  expect(loaded, loaded.said).toMatchObject({ code: 0 });
});

test('it holds no tests, no development tools, no secrets, and no other part of the repository', async () => {
  const names = await readdir(app);

  expect(names.sort()).toEqual(
    [
      ...[
        'api',
        'aws',
        'bytes',
        'core',
        'files',
        'formats',
        'functions',
        'gateway',
        'infra',
        'keystone',
        'service',
        'web',
      ],
      ...['node_modules', 'package.json'],
    ].sort(),
  );
  expect(await readdir(join(app, 'infra'))).toEqual(['config']);
  expect(await readdir(join(app, 'node_modules'))).not.toContain('vitest');
});

/** Marks of packages that `npm ci --omit=dev --omit=optional` leaves out. */
const LEFT_OUT = ['dev', 'devOptional', 'optional'] as const;
type Locked = { cpu?: string | string[]; hasInstallScript?: boolean } & {
  [mark in (typeof LEFT_OUT)[number]]?: boolean;
};

test('it builds on any processor: what runs while it is built is of the machine that builds', async () => {
  const all = await instructions(dockerfile);
  const stages = all.filter(({ keyword }) => keyword === 'FROM');
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const shipped = Object.entries(packages).filter(([, locked]) => !LEFT_OUT.some((mark) => locked[mark] === true));

  expect(lastStage(all).filter(({ keyword }) => keyword === 'RUN')).toEqual([]);
  for (const { rest } of stages.slice(0, -1)) expect(rest).toMatch(/^--platform=\$BUILDPLATFORM /);
  expect(all.find(({ rest }) => rest.startsWith('npm ci'))?.rest).toMatch(/ --omit=dev --omit=optional /);
  expect(shipped.length).toBeGreaterThan(20);
  expect(shipped.filter(([, { cpu, hasInstallScript }]) => cpu !== undefined || hasInstallScript === true)).toEqual([]);
});

test('it runs as nobody in particular, with stages apart, and is told to stop by SIGTERM', async () => {
  const all = await instructions(dockerfile);
  const last = lastStage(all);

  expect(all.filter(({ keyword }) => keyword === 'FROM').length).toBeGreaterThanOrEqual(2);
  expect(last.find(({ keyword }) => keyword === 'USER')?.rest).toBe('node');
  expect(last.find(({ keyword }) => keyword === 'HEALTHCHECK')?.rest).toContain('gateway/health.ts');
  expect(last.findIndex(({ keyword }) => keyword === 'USER')).toBeLessThan(
    last.findIndex(({ keyword }) => keyword === 'CMD'),
  );
});

test('it starts with a file system it cannot write, and ends by itself when it is asked to', async () => {
  await chmod(app, 0o500);
  await expect(
    writeFile(join(app, 'x'), 'x').catch((error: NodeJS.ErrnoException) => error.code ?? 'failed'),
  ).resolves.toSatisfy(
    // Root may write anywhere; the image does not run as root.
    (code) => code === 'EACCES' || process.getuid?.() === 0,
  );

  gateway.kill('SIGTERM');
  const [code] = await once(gateway, 'exit');

  expect(code).toBe(0);
  expect((await readdir(app)).filter((name) => name !== 'x').length).toBe(14);
});
