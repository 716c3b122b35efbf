/** Pages of other sites at the port of the embedded AWS: what the console's may send, and that nothing else gets in. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { crc32 } from 'node:zlib';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutBucketCorsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedAws, startEmbeddedAws } from '../../local/embedded.ts';
import { STAGING_CORS } from '../../workflows/topology.ts';

const CONSOLE = 'https://console.example';
const OTHER = 'https://evil.example';
const BODY = randomBytes(1000);
const crcOf = (body: Uint8Array): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
};
const HEADERS = { 'content-length': String(BODY.length), 'x-amz-checksum-crc32': crcOf(BODY) };
const SIGNED = new Set(Object.keys(HEADERS));

let aws: EmbeddedAws;
let client: S3Client;
let uploadId: string;

beforeAll(async () => {
  aws = await startEmbeddedAws();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new S3Client({ endpoint: aws.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const { methods, headers } = STAGING_CORS;
  const rule = { AllowedOrigins: [CONSOLE], AllowedMethods: [...methods], AllowedHeaders: [...headers] };
  for (const Bucket of ['staging', 'open', 'closed']) await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(new PutBucketCorsCommand({ Bucket: 'staging', CORSConfiguration: { CORSRules: [rule] } }));
  await client.send(
    new PutBucketCorsCommand({
      Bucket: 'open',
      CORSConfiguration: { CORSRules: [{ ...rule, AllowedOrigins: ['*'] }] },
    }),
  );
  uploadId = await begin('staging');
});
afterAll(async () => {
  client.destroy();
  await aws.close();
});

async function begin(bucket: string): Promise<string> {
  const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'k', ChecksumAlgorithm: 'CRC32' });
  return (await client.send(command)).UploadId ?? '';
}

const signedPart = (bucket = 'staging', id = uploadId, signingDate = new Date(), signer = client): Promise<string> =>
  getSignedUrl(
    signer,
    new UploadPartCommand({
      ...{ Bucket: bucket, Key: 'k', UploadId: id, PartNumber: 1 },
      ...{ ContentLength: BODY.length, ChecksumCRC32: HEADERS['x-amz-checksum-crc32'] },
    }),
    { expiresIn: 900, signingDate, signableHeaders: new Set(['host', ...SIGNED]), unhoistableHeaders: SIGNED },
  );

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** As a browser says where a page comes from. */
const from = (origin: string) => ({ origin, 'sec-fetch-site': 'cross-site' });
const put = (url: string, origin: string, headers: Readonly<Record<string, string>> = HEADERS, body = BODY) =>
  send(url, 'PUT', { ...headers, ...from(origin) }, body);
const preflight = (url: string, origin: string, asked = 'x-amz-checksum-crc32', method = 'PUT') =>
  send(url, 'OPTIONS', {
    ...from(origin),
    ...{ 'access-control-request-method': method, 'access-control-request-headers': asked },
  });

describe("the console's pages", () => {
  test('send a part by its URL, and are told so', async () => {
    const url = await signedPart();

    const asked = await preflight(url, CONSOLE);
    const { status, headers } = await put(url, CONSOLE);

    expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([200, CONSOLE]);
    expect([status, headers['access-control-allow-origin']]).toEqual([200, CONSOLE]);
  });

  test.each([
    ['with another header', 'x-amz-checksum-crc32,authorization', 'PUT'],
    ['with another method', 'x-amz-checksum-crc32', 'DELETE'],
  ])('may send nothing %s', async (_, asked, method) => {
    expect((await preflight(await signedPart(), CONSOLE, asked, method)).status).toBe(403);
  });

  test.each<[string, (url: URL) => unknown]>([
    ['that was changed', ({ searchParams }) => searchParams.set('partNumber', '2')],
    ['that nobody signed', ({ searchParams }) => searchParams.set('X-Amz-Signature', '0'.repeat(64))],
    [
      'of a key that nobody knows',
      ({ searchParams }) => searchParams.set('X-Amz-Credential', 'x/20261201/us-east-1/s3/aws4_request'),
    ],
    ['of no part', ({ searchParams }) => searchParams.delete('partNumber')],
  ])('are kept out with a URL %s', async (_, change) => {
    const url = new URL(await signedPart());
    change(url);

    expect(await put(url.href, CONSOLE)).toMatchObject({ status: 403, body: expect.stringContaining('another site') });
  });

  test('are kept out with a URL whose time is over', async () => {
    const url = await signedPart('staging', uploadId, new Date(Date.now() - 901_000));

    expect((await put(url, CONSOLE)).status).toBe(403);
    expect(await send(url, 'PUT', HEADERS, BODY)).toMatchObject({
      status: 403,
      body: expect.stringContaining('expired'),
    });
  });

  test.each([
    ['another length', { ...HEADERS, 'content-length': '999' }, BODY.subarray(0, 999)],
    ['another CRC32', { ...HEADERS, 'x-amz-checksum-crc32': 'AAAAAA==' }, BODY],
  ])('are kept out with %s', async (_, headers, body) => {
    expect((await put(await signedPart(), CONSOLE, headers, body)).status).toBe(403);
  });

  test('are told of bytes that are not those of the CRC32', async () => {
    const answer = await put(await signedPart(), CONSOLE, HEADERS, Buffer.alloc(BODY.length));

    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('BadDigest') });
  });

  test.each([
    ['reads', 'GET', '/staging/k'],
    ['lists', 'GET', '/staging'],
    ['removes', 'DELETE', '/staging/k'],
    ['writes an object', 'PUT', '/staging/k'],
    ['asks a JSON service', 'POST', '/'],
  ])('send nothing else: %s', async (_, method, path) => {
    expect((await send(aws.endpoint + path, method, { ...from(CONSOLE), 'content-length': '0' })).status).toBe(403);
  });

  test.each(['open', 'closed'])('send no part where no rule names them: %s', async (bucket) => {
    const url = await signedPart(bucket, await begin(bucket));

    expect((await put(url, CONSOLE)).status).toBe(403);
  });
});

test.each([OTHER, 'null', `${CONSOLE}.evil.example`, 'http://console.example'])(
  'pages of %s send nothing, not even with a valid URL',
  async (origin) => {
    const url = await signedPart();

    const asked = await preflight(url, origin);
    const { status, headers } = await put(url, origin);

    expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    expect([status, headers['access-control-allow-origin']]).toEqual([403, undefined]);
  },
);
