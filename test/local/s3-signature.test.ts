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
