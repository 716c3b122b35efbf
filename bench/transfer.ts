/**
 * Upload and download throughput of an image service: `node bench/transfer.ts [--mib 1024] [--repeat 3] [--disk-format raw] [--uploads 1]
 * [--pid PID] [--peer-openrc FILE]`.
 *
 * Drives whatever OS_* names (password, or OS_TOKEN with OS_ENDPOINT); the client is curl. `--peer-openrc` names another service, say a
 * Glance, which takes turns with the first, and the ratios of both are printed. With AWS_ENDPOINT_URL set, a plain GetObject of as many bytes by the SDK is the floor in the same run.
 * `--pid` also reports the peak memory of that process and its children above what they took before. `--uploads` makes that many
 * uploads at once. Bytes are random; holes would flatter a sparse store.
 */
import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { watchMemory } from './memory.ts';
import { median, type Service, servicesToMeasure } from './openstack.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    repeat: { type: 'string', default: '3' },
    uploads: { type: 'string', default: '1' },
    'disk-format': { type: 'string', default: 'raw' },
    pid: { type: 'string' },
    'peer-openrc': { type: 'string' },
  },
});
const mib = Number(values.mib);
const repeat = Number(values.repeat);
const uploads = Number(values.uploads);

async function createImage(service: Service): Promise<string> {
  const answer = await fetch(`${service.url}/images`, {
    method: 'POST',
    headers: { 'x-auth-token': service.token, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'bench-transfer',
      disk_format: values['disk-format'],
      container_format: values['disk-format'] === 'raw' ? 'bare' : 'compressed',
    }),
  });
  if (answer.status !== 201) throw new Error(`creating an image: HTTP ${answer.status}`);
  return ((await answer.json()) as { id: string }).id;
}

/** Seconds that curl took for one transfer. */
async function curl(service: Service, ...rest: string[]): Promise<number> {
  const report = ['-sS', '-f', '-o', '/dev/null', '-w', '%{time_total}', '-H', `X-Auth-Token: ${service.token}`];
  return Number((await run('curl', [...report, ...rest])).stdout);
}

async function upload(service: Service, image: string, path: string): Promise<number> {
  const headers = ['-H', 'Content-Type: application/octet-stream', '-H', 'Expect:'];
  return curl(service, ...headers, '-T', path, `${service.url}/images/${image}/file`);
}

async function randomFile(path: string): Promise<void> {
  const file = await open(path, 'w');
  const block = Buffer.alloc(8 * MIB);
  for (let at = 0; at < mib * MIB; at += block.length) {
    await file.write(randomFillSync(block), 0, Math.min(block.length, mib * MIB - at));
  }
  await file.close();
}

/** MiB/s of a plain GetObject by the SDK, once per repetition. */
async function floor(endpoint: string, path: string): Promise<number[]> {
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  const at = { Bucket: 'glimpse-bench', Key: 'floor' };
  await client.send(new CreateBucketCommand({ Bucket: at.Bucket })).catch(() => undefined);
  await new Upload({ client, params: { ...at, Body: createReadStream(path) } }).done();
  const rates: number[] = [];
  for (let n = 0; n < repeat; n++) {
    const started = performance.now();
    const { Body } = await client.send(new GetObjectCommand(at));
    for await (const chunk of Body as AsyncIterable<Uint8Array>) if (chunk.length === 0) break;
    rates.push(mib / ((performance.now() - started) / 1000));
  }
  await client.send(new DeleteObjectCommand(at));
  client.destroy();
  return rates;
}

function row(name: string, rates: readonly number[]): void {
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  console.log(`${name.padEnd(24)} ${median(rates).toFixed(0)} (${low.toFixed(0)}-${high.toFixed(0)}) MiB/s`);
}

function ratio(name: string, rates: readonly number[], others: readonly number[]): void {
  console.log(`${name.padEnd(24)} ${(median(rates) / median(others)).toFixed(2)}`);
}

interface Rates {
  readonly up: number[];
  readonly down: number[];
}

/** So many uploads at once, one download, and everything away again. */
async function turn(service: Service, path: string, { up, down }: Rates): Promise<void> {
  const images = await Promise.all(Array.from({ length: uploads }, () => createImage(service)));
  const started = performance.now();
  await Promise.all(images.map((image) => upload(service, image, path)));
  up.push((uploads * mib) / ((performance.now() - started) / 1000));
  down.push(mib / (await curl(service, `${service.url}/images/${images[0]}/file`)));
  for (const image of images) {
    await fetch(`${service.url}/images/${image}`, { method: 'DELETE', headers: { 'x-auth-token': service.token } });
  }
}

const services = await servicesToMeasure(values['peer-openrc']);
const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
try {
  const path = join(folder, 'random');
  await randomFile(path);
  const memory = values.pid === undefined ? undefined : await watchMemory(Number(values.pid));
  const rates = services.map(() => ({ up: [], down: [] }) as Rates);
  for (let n = 0; n < repeat; n++) {
    for (const [at, service] of services.entries()) await turn(service, path, rates[at] ?? { up: [], down: [] });
  }
  const what = uploads === 1 ? 'upload' : `${uploads} uploads at once`;
  const [own = { up: [], down: [] }, peer] = rates;
  row(what, own.up);
  row('download', own.down);
  if (memory !== undefined) console.log(`peak memory above idle   ${(await memory.stop()).toFixed(0)} MiB`);
  if (peer !== undefined) {
    row(`peer: ${what}`, peer.up);
    row('peer: download', peer.down);
    ratio('upload / peer', own.up, peer.up);
    ratio('download / peer', own.down, peer.down);
  }
  const endpoint = process.env['AWS_ENDPOINT_URL'];
  if (endpoint !== undefined) {
    const plain = await floor(endpoint, path);
    row('plain GetObject', plain);
    ratio('download / GetObject', own.down, plain);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
