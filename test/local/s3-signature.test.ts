import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3, type EmbeddedS3, type S3Options } from '../../local/s3/server.ts';
import { failureOf, S3Process } from '../support/s3-process.ts';

const Bucket = 'signed';
const ODD_KEY = "odd key/+é'()*!~&=?";
const wrongSecret = { credentials: { accessKeyId: 'test', secretAccessKey: 'wrong' } };
const unknownKey = { credentials: { accessKeyId: 'stranger', secretAccessKey: 'x' } };
const presigning = { requestChecksumCalculation: 'WHEN_REQUIRED' } as const;

describe('presigned URLs', () => {
  const s3 = new S3Process();
  let client: S3Client;

  beforeAll(async () => {
    await s3.start();
    client = s3.client(presigning);
    await client.send(new CreateBucketCommand({ Bucket }));
  });

  afterAll(() => s3.dispose());

  it('puts and gets with a valid signature', async () => {
    const put = await getSignedUrl(
      client,
      new PutObjectCommand({ Bucket, Key: ODD_KEY, ContentType: 'x/y', Metadata: { a: '1' } }),
    );
    const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: ODD_KEY, ResponseContentType: 'a/b' }));

    const stored = await fetch(put, { method: 'PUT', body: 'presigned', headers: { 'content-type': 'x/y' } });
    const got = await fetch(get, { headers: { range: 'bytes=0-2' } });

    expect(stored.status).toBe(200);
    expect([got.status, got.headers.get('content-type'), await got.text()]).toEqual([206, 'a/b', 'pre']);
  });

  it('uploads a part', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'multi' }));
    const url = await getSignedUrl(client, new UploadPartCommand({ Bucket, Key: 'multi', UploadId, PartNumber: 1 }));

    const stored = await fetch(url, { method: 'PUT', body: 'part' });

    const Parts = [{ PartNumber: 1, ETag: stored.headers.get('etag')! }];
    await client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key: 'multi', UploadId, MultipartUpload: { Parts } }),
    );
  });

  it('refuses what was changed, is over, or was signed with another secret', async () => {
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: ODD_KEY }));
    const old = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: ODD_KEY }), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - 120_000),
    });
    const forged = await getSignedUrl(s3.client(wrongSecret), new GetObjectCommand({ Bucket, Key: ODD_KEY }));
    const codeOf = async (target: string, init: RequestInit = {}): Promise<string> =>
      /<Code>([^<]+)/.exec(await (await fetch(target, init)).text())?.[1] ?? 'none';

    expect(await codeOf(url.replace('odd', 'even'))).toBe('SignatureDoesNotMatch');
    expect(await codeOf(url, { method: 'PUT', body: 'x' })).toBe('SignatureDoesNotMatch');
    expect(await codeOf(`${url}&response-content-type=evil`)).toBe('SignatureDoesNotMatch');
    expect(await codeOf(old)).toBe('AccessDenied');
    expect(await codeOf(forged)).toBe('SignatureDoesNotMatch');
    expect(await codeOf(url.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=9999999'))).toBe(
      'AuthorizationQueryParametersError',
    );
    expect(await codeOf(url.replace(/&X-Amz-SignedHeaders=[^&]+/, ''))).toBe('AuthorizationQueryParametersError');
  });
});

describe('verifySignatures', () => {
  const s3 = new S3Process();
  let client: S3Client;

  beforeAll(async () => {
    await s3.start({ verifySignatures: true });
    client = s3.client();
    await client.send(new CreateBucketCommand({ Bucket }));
  });

  afterAll(() => s3.dispose());

  it('accepts what the SDK signs: odd keys, queries, buffers and streams', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: ODD_KEY, Body: 'x', Metadata: { spaced: 'a  b' } }));
    await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'stream',
        Body: Readable.from(['a', 'b']),
        ContentLength: 2,
        ChecksumAlgorithm: 'CRC32',
      }),
    );
    const { CommonPrefixes } = await client.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'odd key/+', Delimiter: '&' }),
    );

    expect(CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(["odd key/+é'()*!~&"]);
  });

  it('refuses a wrong secret, an unknown key and an anonymous request', async () => {
    const put = (config: object) => s3.client(config).send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));

    expect(await failureOf(put(wrongSecret))).toBe('SignatureDoesNotMatch 403');
    expect(await failureOf(put(unknownKey))).toBe('InvalidAccessKeyId 403');
    expect((await fetch(`${s3.endpoint}/${Bucket}/k`)).status).toBe(403);
    expect(await failureOf(client.send(new GetObjectCommand({ Bucket, Key: 'k' })))).toBe('NoSuchKey 404');
  });
});

describe('signed chunks', () => {
  // The worked example of the Amazon S3 API reference, "Signature calculations: transferring a payload in multiple chunks".
  const SEED = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
  const CHUNKS = [
    ['a'.repeat(65_536), 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'],
    ['a'.repeat(1024), '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'],
    ['', 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'],
  ] as const;
  const SIGNED =
    'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class';
  const dataDir = mkdtempSync(join(tmpdir(), 'glimpse-s3-chunks-'));
  const options: S3Options = {
    dataDir,
    clock: () => Date.UTC(2013, 4, 24),
    credentials: { AKIAIOSFODNN7EXAMPLE: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  };
  let s3: EmbeddedS3;
  const server = createServer((message, response) => s3.handle(message, response));

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    s3 = createS3(options);
    await send('PUT', '/examplebucket', {}, '');
    await s3.close();
    s3 = createS3({ ...options, verifySignatures: true });
  });

  afterAll(async () => {
    await s3.close();
    server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  function send(method: string, path: string, headers: Record<string, string>, body: string): Promise<number> {
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
      request.on('error', reject);
      request.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)));
      request.end(body);
    });
  }

  function sendChunks(chunks: readonly (readonly [data: string, signature: string])[]): Promise<number> {
    const body = chunks
      .map(([data, signature]) => `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}\r\n`)
      .join('');
    const headers = {
      host: 's3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-decoded-content-length': '66560',
      'content-length': '66824',
      authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${SIGNED},Signature=${SEED}`,
    };
    return send('PUT', '/examplebucket/chunkObject.txt', headers, body);
  }

  it('accepts the worked example and refuses a changed byte', async () => {
    const [first, second, last] = CHUNKS;

    expect(await sendChunks(CHUNKS)).toBe(200);
    expect(await sendChunks([first, [`b${second[0].slice(1)}`, second[1]], last])).toBe(403);
  });
});
