/**
 * The command beside `glance`, on a service of its own: `node bench/client.ts [--mib 256] [--repeat 1] [--sparse-gib 20] [--sparse-mib 200]`.
 *
 * Uploads of the same file by both until the image is active, once through a proxy that answers 100 ms later and passes 50 MB/s per
 * connection, once without; a sparse disk; a download beside a plain parallel GetObject of the same object. Each prints seconds, and what
 * `glance` (or GetObject) takes of ours. The processor time of `--help` and `inspect` comes first: of the package, when it is in `dist/`.
 */
import { execFile, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { credentials, startGlimpse } from '../test/support/glimpse.ts';
import { median } from './openstack.ts';
import { slowProxy } from './slow-proxy.ts';

const MIB = 2 ** 20;
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '256' },
    repeat: { type: 'string', default: '1' },
    'sparse-gib': { type: 'string', default: '20' },
    'sparse-mib': { type: 'string', default: '200' },
  },
});
const run = promisify(execFile);
const BUILT = join(import.meta.dirname, '../dist/glimpse.mjs');
const CLI = existsSync(BUILT) ? BUILT : join(import.meta.dirname, '../cli/bin.mjs');

/** Seconds of processor time of one short command. */
function processorSeconds(...args: readonly string[]): number {
  const seconds: number[] = [];
  for (let n = 0; n < 5; n++) {
    const script = `TIMEFORMAT='%U %S'; time "$0" "$@" >/dev/null`;
    const { stderr } = spawnSync('bash', ['-c', script, process.execPath, CLI, ...args], { encoding: 'utf8' });
    seconds.push(stderr.split(/\s+/).reduce((sum, part) => sum + Number(part || 0), 0));
  }
  return median(seconds);
}

async function file(path: string, size: number, data: number): Promise<void> {
  const handle = await open(path, 'w');
  await handle.truncate(size);
  const block = Buffer.alloc(MIB);
  // Half of what is in a disk compresses to nothing, as on real ones.
  for (let n = 0; n < data / MIB; n++) {
    randomFillSync(block, 0, size === data ? MIB : MIB / 2);
    await handle.write(block, 0, MIB, Math.floor((n * (size / MIB)) / (data / MIB)) * MIB);
  }
  await handle.close();
}

const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-client-'));
const glimpse = await startGlimpse({ config: { image_import_plugins: [] } });
const proxy = await slowProxy({ delayMs: 100, bytesPerSecond: 50_000_000 });
const env = { ...process.env, ...(await credentials(glimpse.dataDir, 'demo')), GLIMPSE_CACHE: join(folder, 'cache') };
const slow = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NODE_USE_ENV_PROXY: '1', NO_PROXY: '', no_proxy: '' };

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

let images = 0;
const ours = (path: string, more: object) =>
  run(process.execPath, [CLI, 'upload', path, '--name', `ours-${images++}`], { env: { ...env, ...more } });
async function glance(path: string, more: object): Promise<void> {
  const create = ['image-create', '--name', `glance-${images++}`, '--disk-format', 'raw', '--container-format', 'bare'];
  await run('glance', [...create, '--file', path], { env: { ...env, ...more }, maxBuffer: 2 ** 26 });
}

function report(what: string, own: number, other: number, wanted: number): void {
  const ratio = (other / own).toFixed(2);
  console.log(`${what.padEnd(34)} ${own.toFixed(1)} s, ${other.toFixed(1)} s: ${ratio} (wanted ${wanted})`);
}

/** Both by turns. */
async function compare(what: string, path: string, more: object, wanted: number): Promise<void> {
  const [own, other]: [number[], number[]] = [[], []];
  for (let n = 0; n < Number(values.repeat); n++) {
    own.push(await timed(() => ours(path, more)));
    other.push(await timed(() => glance(path, more)));
  }
  report(what, median(own), median(other), wanted);
}

/** Seconds of the same bytes by eight connections of the SDK, as many ranges as ours. */
async function getObject(size: number): Promise<number | undefined> {
  const client = new S3Client({
    endpoint: glimpse.awsEndpoint,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'glimpse-store-central' }));
  const key = Contents.find(({ Size }) => Size === size)?.Key;
  if (key === undefined) return undefined;
  let at = 0;
  const step = 16 * MIB;
  const lane = async (): Promise<void> => {
    for (let start = at; start < size; start = at) {
      at += step;
      const Range = `bytes=${start}-${Math.min(size, start + step) - 1}`;
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'glimpse-store-central', Key: key, Range }));
      for await (const chunk of Body as AsyncIterable<Uint8Array>) if (chunk.length === 0) break;
    }
  };
  const seconds = await timed(() => Promise.all(Array.from({ length: 8 }, lane)));
  client.destroy();
  return seconds;
}

try {
  const plain = join(folder, 'plain.qcow2.raw');
  const size = Number(values.mib) * MIB;
  await file(plain, size, size);
  console.log(`${'--help'.padEnd(34)} ${processorSeconds('--help').toFixed(2)} s of a processor (wanted 0.15)`);
  console.log(
    `${'inspect'.padEnd(34)} ${processorSeconds('inspect', plain).toFixed(2)} s of a processor (wanted 0.15)`,
  );
  await compare(`upload ${values.mib} MiB, slow proxy`, plain, slow, 1.5);
  await compare(`upload ${values.mib} MiB`, plain, {}, 1);
  const down = await timed(() => run(process.execPath, [CLI, 'download', 'ours-0', join(folder, 'down')], { env }));
  const floor = await getObject(size);
  if (floor === undefined)
    console.log(
      `download ${values.mib} MiB: ${down.toFixed(1)} s; stored packed, so there is no one object to compare with`,
    );
  else report(`download ${values.mib} MiB beside GetObject`, down, floor, 0.9);
  await rm(join(folder, 'down'));
  const sparse = join(folder, 'sparse.raw');
  if (Number(values['sparse-gib']) > 0) {
    await file(sparse, Number(values['sparse-gib']) * 2 ** 30, Number(values['sparse-mib']) * MIB);
    await compare(`sparse ${values['sparse-gib']} GiB, slow proxy`, sparse, slow, 20);
  }
} finally {
  proxy.close();
  await glimpse.stop();
  await rm(folder, { recursive: true, force: true });
}
