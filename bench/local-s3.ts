/**
 * Throughput of the embedded S3 in a process of its own, over plain `node:http` so that the server is measured and not a client
 * library: `node bench/local-s3.ts [MiB]` (default 1024). Runs under 30 s; prints one line per figure.
 */
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { S3Process } from '../test/support/s3-process.ts';

const MIB = 1024 * 1024;
const totalMiB = Number(process.argv[2] ?? 1024);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const s3 = await new S3Process().start();
const base = new URL(s3.endpoint);

interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly text: string;
  readonly bytes: number;
}

/** One exchange; bodies of GET are counted and dropped unless they are XML. */
function call(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = { 'content-length': String(body?.length ?? 0) };
    const request = httpRequest({
      host: base.hostname,
      port: base.port,
      agent,
      method,
      path,
      headers: { ...length, ...headers },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let bytes = 0;
      let text = '';
      const isXml = response.headers['content-type'] === 'application/xml';
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (isXml) text += chunk.toString();
      });
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status >= 300) reject(new Error(`${method} ${path}: ${status} ${text}`));
        else resolve({ status, etag: response.headers.etag ?? '', text, bytes });
      });
    });
    request.end(body);
  });
}

async function inParallel(count: number, width: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

async function timed(name: string, work: () => Promise<unknown>, describe: (seconds: number) => string): Promise<void> {
  const start = performance.now();
  await work();
  console.log(`${name.padEnd(34)} ${describe((performance.now() - start) / 1000)}`);
}

function rss(field: 'VmRSS' | 'VmHWM'): number {
  const match = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${s3.pid}/status`, 'utf8'));
  return Math.round(Number(match?.[1] ?? 0) / 1024);
}

const rate =
  (mib: number) =>
  (seconds: number): string =>
    `${Math.round((mib * 1.048576) / seconds)} MB/s`;
const each =
  (count: number) =>
  (seconds: number): string =>
    `${((seconds / count) * 1000).toFixed(2)} ms each, ${Math.round(count / seconds)}/s`;

async function multipart(
  key: string,
  partMiB: number,
  width: number,
  headers: Record<string, string> = {},
): Promise<void> {
  const part = Buffer.alloc(partMiB * MIB, 7);
  const { text } = await call('POST', `/bench/${key}?uploads`, undefined, headers);
  const id = /<UploadId>([^<]+)/.exec(text)?.[1] ?? '';
  const count = totalMiB / partMiB;
  const etags: string[] = [];
  await inParallel(count, width, async (i) => {
    etags[i] = (await call('PUT', `/bench/${key}?partNumber=${i + 1}&uploadId=${id}`, part)).etag;
  });
  const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join('');
  await call(
    'POST',
    `/bench/${key}?uploadId=${id}`,
    Buffer.from(`<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`),
  );
}

const ranges = (size: number, count: number, width: number) => () =>
  inParallel(count, width, (i) => {
    const start = (i * size) % (totalMiB * MIB - size);
    return call('GET', '/bench/m16', undefined, { range: `bytes=${start}-${start + size - 1}` });
  });

try {
  await call('PUT', '/bench');
  console.log(`idle RSS                           ${rss('VmRSS')} MiB`);
  await timed('multipart 8 MiB x4', () => multipart('m8', 8, 4), rate(totalMiB));
  await timed('multipart 16 MiB x4', () => multipart('m16', 16, 4), rate(totalMiB));
  await timed(
    'multipart 16 MiB x4, CRC32',
    () => multipart('c', 16, 4, { 'x-amz-checksum-algorithm': 'CRC32' }),
    rate(totalMiB),
  );
  await timed('multipart 16 MiB x8', () => multipart('m16w', 16, 8), rate(totalMiB));
  console.log(`peak RSS after uploads             ${rss('VmHWM')} MiB`);
  await timed('GET whole', () => call('GET', '/bench/m16'), rate(totalMiB));
  await timed('GET 16 MiB ranges x4', ranges(16 * MIB, totalMiB / 16, 4), rate(totalMiB));
  await timed('GET 1 MiB ranges x4', ranges(MIB, totalMiB, 4), rate(totalMiB));
  await timed('GET 4 KiB ranges, sequential', ranges(4096, 2000, 1), each(2000));
  const small = Buffer.alloc(4096, 1);
  await timed(
    'PUT 4 KiB, sequential',
    () => inParallel(2000, 1, (i) => call('PUT', `/bench/s/${i}`, small)),
    each(2000),
  );
  await timed('GET 4 KiB, sequential', () => inParallel(2000, 1, (i) => call('GET', `/bench/s/${i}`)), each(2000));
  const source = { 'x-amz-copy-source': '/bench/m16' };
  await timed(
    'CopyObject',
    () => inParallel(1000, 1, (i) => call('PUT', `/bench/c/${i}`, undefined, source)),
    each(1000),
  );
  await timed('ListObjectsV2 of 1000', () => inParallel(20, 1, () => call('GET', '/bench?list-type=2')), each(20));
  console.log(`peak RSS                           ${rss('VmHWM')} MiB`);
} finally {
  agent.destroy();
  await s3.dispose();
}
