/**
 * The command's uploads on a whole service, killed at any byte: one record, and nothing is sent twice but what was on its way. 5 times;
 * GLIMPSE_TEST_KILLS says another number (.ci/full: 50).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { credentials, type Glimpse, startGlimpse } from '../support/glimpse.ts';

const KILLS = Number(process.env['GLIMPSE_TEST_KILLS'] ?? 5);
const PART = 16 * 2 ** 20;
const PARTS = 6;
const PARALLEL = 2;
const BYTES = randomBytes(PARTS * PART - 4321);

let glimpse: Glimpse;
let folder: string;
let store: CountingStore;
beforeAll(async () => {
  glimpse = await startGlimpse({ config: { image_import_plugins: [] } });
  folder = await mkdtemp(join(tmpdir(), 'glimpse-kill-'));
  await writeFile(join(folder, 'disk.raw'), BYTES);
  store = await countingStore();
});
afterAll(async () => {
  store?.server.close();
  await glimpse?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface CountingStore {
  readonly server: Server;
  readonly url: string;
  /** Bytes of parts that came so far. */
  bytes(): number;
  /** Calls once so many more bytes have come. */
  after(bytes: number, then: () => void): void;
}

/** What a client's proxy does: hands every request on, and counts what parts bring. */
async function countingStore(): Promise<CountingStore> {
  let bytes = 0;
  let watched: { readonly at: number; then(): void } | undefined;
  const server = createServer((request, response) => {
    const onward = httpRequest(request.url ?? '', { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => response.writableFinished || onward.destroy());
    request.on('data', (chunk: Buffer) => {
      if (request.method === 'PUT') bytes += chunk.length;
      if (watched !== undefined && bytes >= watched.at) {
        const { then } = watched;
        watched = undefined;
        then();
      }
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    bytes: () => bytes,
    after: (more, then) => {
      watched = { at: bytes + more, then };
    },
  };
}

/** `glimpse upload` through the proxy: Node's own switch sends all of its requests there. */
async function upload(...more: readonly string[]): Promise<{ child: ChildProcess; ended: Promise<Ended> }> {
  const child = spawn(
    process.execPath,
    ['cli/bin.mjs', 'upload', join(folder, 'disk.raw'), '--parallel', String(PARALLEL), '--json', ...more],
    {
      env: {
        ...process.env,
        ...(await credentials(glimpse.dataDir, 'demo')),
        GLIMPSE_CACHE: join(folder, 'cache'),
        NODE_USE_ENV_PROXY: '1',
        HTTP_PROXY: store.url,
        NO_PROXY: new URL(glimpse.url).host,
      },
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  return { child, ended };
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Shown {
  readonly id: string;
  readonly status: string;
}

async function images(name: string): Promise<readonly Shown[]> {
  const answer = await glimpse.api('demo', 'GET', `/v2/images?name=${name}`);
  return ((await answer.json()) as { readonly images: readonly Shown[] }).images;
}

/** Kills an upload until it is done or `most` is reached, then lets it end. @returns how often it was killed */
async function killedUpload(name: string, most: number): Promise<number> {
  const before = store.bytes();
  let kills = 0;
  while (kills < most && (await images(name))[0]?.status !== 'active') {
    const { child, ended } = await upload('--name', name);
    // At any byte of what may be left; when nothing is left, the command simply ends.
    store.after(1 + Math.floor(Math.random() * (PART * 1.5)), () => child.kill('SIGKILL'));
    await ended;
    kills += 1;
    expect((await images(name)).length).toBe(1);
  }
  if ((await images(name))[0]?.status !== 'active') {
    const { code, stderr } = await (await upload('--name', name)).ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
  }
  // Each kill costs the parts that were on their way, and no more.
  expect(store.bytes() - before).toBeGreaterThanOrEqual(BYTES.length);
  expect(store.bytes() - before).toBeLessThanOrEqual(BYTES.length + kills * PARALLEL * PART);
  const all = await images(name);
  expect(all).toHaveLength(1);
  expect(all[0]).toMatchObject({ status: 'active', os_hash_value: createHash('sha512').update(BYTES).digest('hex') });
  return kills;
}

test(`uploads that are killed ${KILLS} times become one image each, and no part that arrived is sent again`, async () => {
  for (let kills = 0, n = 0; kills < KILLS; n++) kills += await killedUpload(`killed-${n}`, KILLS - kills);
});

test('a file that changed since its upload began is not gone on with, and --restart sends it anew', async () => {
  const { child, ended } = await upload('--name', 'changed');
  store.after(PART, () => child.kill('SIGKILL'));
  await ended;
  await writeFile(join(folder, 'disk.raw'), BYTES.subarray(0, PART));

  const refused = await (await upload('--name', 'changed')).ended;
  const restarted = await (await upload('--name', 'changed', '--restart')).ended;

  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('changed since its upload began') });
  expect(restarted.stderr).toBe('');
  expect(JSON.parse(restarted.stdout)).toMatchObject({ status: 'active', size: PART });
  const { images: left } = (await (await glimpse.api('demo', 'GET', '/v2/images?name=changed')).json()) as {
    images: [];
  };
  expect(left).toHaveLength(1);
});
