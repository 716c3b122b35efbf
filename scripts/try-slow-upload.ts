/**
 * Tries what no emulator shows: does the public name of a deployed stage carry an upload that is slow, long, chunked and of unknown
 * length? Makes an image, sends 16 KiB a second for ten minutes, compares what is stored, removes the image.
 *
 *   OS_TOKEN=… node scripts/try-slow-upload.ts https://images.example.org [--minutes 10]
 */
import { createHash } from 'node:crypto';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const CHUNK = 16 * 1024;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' } },
});
const [base] = positionals;
const token = process.env['OS_TOKEN'];
const seconds = Math.round(Number(values.minutes) * 60);
if (base === undefined || !token || !(seconds > 0)) {
  console.error('Usage: OS_TOKEN=… node scripts/try-slow-upload.ts URL [--minutes 10]');
  process.exit(2);
}
const headers = { 'x-auth-token': token };

const hash = createHash('md5');
let sent = 0;

async function* slowly(): AsyncGenerator<Buffer> {
  for (let second = 0; second < seconds; second++) {
    const chunk = Buffer.alloc(CHUNK, second % 251);
    hash.update(chunk);
    sent += chunk.length;
    yield chunk;
    await wait(1000);
  }
}

/** fetch() would want to know the length; this is what stock clients do. Says what became of it: a status, or why there was none. */
function put(url: URL): Promise<string> {
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
  const body = Readable.from(slowly(), { objectMode: false });
  return new Promise<string>((resolve) => {
    const outgoing = send(url, { method: 'PUT', headers: { ...headers, 'content-type': 'application/octet-stream' } });
    outgoing.on('response', (answer) => {
      answer.resume();
      resolve(`was answered ${answer.statusCode}`);
      // An answer before the end: whoever gave it does not wait for the rest.
      if (!outgoing.writableEnded) outgoing.destroy();
    });
    outgoing.on('error', (error) => resolve(`was cut (${error.message})`));
    body.pipe(outgoing);
  }).finally(() => body.destroy());
}

const created = await fetch(new URL('/v2/images', base), {
  method: 'POST',
  headers: { ...headers, 'content-type': 'application/json' },
  body: JSON.stringify({ name: 'slow-upload-trial', disk_format: 'raw', container_format: 'bare' }),
});
if (created.status !== 201) {
  console.error(`No image could be made: ${created.status} ${await created.text()}`);
  process.exit(1);
}
const { id } = (await created.json()) as { id: string };
const image = new URL(`/v2/images/${id}`, base);
try {
  const began = Date.now();
  const outcome = await put(new URL(`${image.href}/file`));
  const after = Math.round((Date.now() - began) / 1000);
  const shown = (await (await fetch(image, { headers })).json()) as { status: string; size: number; checksum: string };
  const whole =
    outcome === 'was answered 204' &&
    shown.status === 'active' &&
    shown.size === sent &&
    shown.checksum === hash.digest('hex');
  console.log(`PUT ${outcome} after ${after} s; image is ${shown.status}, ${shown.size} of ${sent} bytes`);
  console.log(
    whole
      ? 'The edge carries slow uploads.'
      : 'The edge does NOT carry slow uploads: use GLIMPSE_EDGE=alb (docs/operations/deploy.md).',
  );
  process.exitCode = whole ? 0 : 1;
} finally {
  await fetch(image, { method: 'DELETE', headers });
}
