/** `npm start` as an operator meets it when something is in the way. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { startGlimpse } from '../support/glimpse.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What `npm start` runs. */
const STARTED_BY = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } })
  .scripts.start;
/** A person without the rights that make files of others writable to root. */
const NOBODY = 65_534;

let dir: string;
let holder: Server;
let busy: number;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-start-'));
  holder = createServer();
  await new Promise<void>((resolve) => {
    holder.listen(0, '127.0.0.1', resolve);
  });
  busy = (holder.address() as AddressInfo).port;
});

afterAll(async () => {
  holder.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

describe('one clear line and exit 1', () => {
  it.each([
    ['the port of the service is busy', () => ({ GLIMPSE_PORT: String(busy) }), /port \d+ is in use/],
    ['the port of the embedded AWS is busy', () => ({ GLIMPSE_AWS_PORT: String(busy) }), /port \d+ .*in use/],
    ['a port is no port', () => ({ GLIMPSE_PORT: 'http' }), /GLIMPSE_PORT: "http" is no port/],
    [
      'the configuration file is not there',
      () => ({ GLIMPSE_CONFIG: join(dir, 'none.json') }),
      /none\.json cannot be read/,
    ],
  ])('%s', async (_name, env, message) => {
    const { code, stderr } = await run(env());

    expect(code).toBeGreaterThan(0);
    expect(stderr.trim().split('\n')[0]).toMatch(message);
    expect(stderr).not.toMatch(/ {4}at /);
  });

  it.each([
    ['a full disk', /^glimpse: there is no space left for the data folder \S+: ENOSPC/, fullDisk],
    ['a data folder that may only be read', /^glimpse: the data folder \S+ cannot be written: EACCES/, readOnlyFolder],
    ['services of AWS that may not write', /^glimpse: the data folder \S+ cannot be written: EACCES/, readOnlyServices],
    ['a data folder that is a file', /^glimpse: the data folder \S+ cannot be made: EEXIST/, file],
  ])('%s', async (_name, message, prepare) => {
    const folder = await mkdtemp(join(dir, 'broken-'));
    await chmod(dir, 0o711);
    const user = await prepare(folder);

    const { code, stderr } = await run({ GLIMPSE_DATA: join(folder, 'data') }, user);

    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(message) as string]);
  });

  it('the data directory is in use', async () => {
    const first = await startGlimpse({ dataDir: join(dir, 'data') });
    try {
      const { code, stderr } = await run({ GLIMPSE_DATA: join(dir, 'data') });

      expect(code).toBe(1);
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/data directory .* in use/) as string]);
    } finally {
      expect(await first.stop()).toBe(0);
    }
  });
});

/** What is to be done with the program itself: sources in a folder of their own, started as `npm start` does. */
describe('a checkout that is not ready', () => {
  let checkout: string;
  beforeAll(async () => {
    checkout = join(dir, 'checkout');
    await cp(join(ROOT, 'scripts'), join(checkout, 'scripts'), { recursive: true });
    await cp(join(ROOT, 'package.json'), join(checkout, 'package.json'));
  });

  /** With `node` as it is, and another version than it has. */
  function start(version?: string): { status: number | null; lines: string[] } {
    const [, ...args] = STARTED_BY.split(' ');
    const pretend = version === undefined ? [] : ['--import', pretending(version)];
    const { status, stderr } = spawnSync(process.execPath, [...pretend, ...args], {
      cwd: checkout,
      encoding: 'utf8',
    });
    return { status, lines: stderr.trim().split('\n') };
  }

  it('without its dependencies', () => {
    expect(start()).toEqual({
      status: 1,
      lines: ['glimpse: dependencies are missing (@aws-lambda-powertools/logger and more): run `npm ci`'],
    });
  });

  it('with a Node that is too old', async () => {
    await symlink(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));

    expect(start('22.4.1')).toEqual({
      status: 1,
      lines: [
        'glimpse: this is Node 22.4.1, and 24 or newer is needed: start with `npm start`, which brings its own on Linux and Windows',
      ],
    });
  });
});

describe('the health check', () => {
  it('is 200 only when the files to log in with are there', async () => {
    const data = join(dir, 'slow-files');
    await mkdir(data);
    // Whoever writes this file waits until somebody reads it.
    execFileSync('mkfifo', [join(data, 'openrc.new')]);
    const port = await freePort();
    const started = startGlimpse({ dataDir: data, port });
    await expect.poll(() => existsSync(join(data, 'openrc-reader')), { timeout: 20_000 }).toBe(true);

    const during = await fetch(`http://127.0.0.1:${port}/healthcheck`);
    readFileSync(join(data, 'openrc.new'));
    const glimpse = await started;
    const after = await fetch(`http://127.0.0.1:${port}/healthcheck`);
    await glimpse.stop();

    expect([during.status, after.status]).toEqual([503, 200]);
  });
});

/** A module that makes a process say it is another version of Node. */
function pretending(version: string): string {
  const code = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

async function fullDisk(folder: string): Promise<undefined> {
  await mkdir(join(folder, 'data'));
  await symlink('/dev/full', join(folder, 'data', 'secrets.json.new'));
}

async function readOnlyFolder(folder: string): Promise<number | undefined> {
  await mkdir(join(folder, 'data'));
  await chmod(folder, 0o711);
  await chmod(join(folder, 'data'), 0o555);
  return unprivileged();
}

async function readOnlyServices(folder: string): Promise<number | undefined> {
  await mkdir(join(folder, 'data', 'aws'), { recursive: true });
  await chmod(folder, 0o711);
  await chmod(join(folder, 'data'), 0o777);
  await chmod(join(folder, 'data', 'aws'), 0o555);
  return unprivileged();
}

async function file(folder: string): Promise<undefined> {
  await writeFile(join(folder, 'data'), '');
}

const unprivileged = (): number | undefined => (process.getuid?.() === 0 ? NOBODY : undefined);

function run(env: Record<string, string>, uid?: number): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['scripts/start.ts'], {
      cwd: ROOT,
      ...(uid === undefined ? {} : { uid, gid: uid }),
      env: {
        ...process.env,
        GLIMPSE_PORT: '0',
        GLIMPSE_AWS_PORT: '0',
        GLIMPSE_DATA: join(dir, 'other'),
        GLIMPSE_CONFIG: '',
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('close', (code) => resolve({ code, stderr }));
  });
}
