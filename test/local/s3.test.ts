import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, S3Process, sampleBytes } from '../support/s3-process.ts';

const Bucket = 'first';
const s3 = new S3Process();
let client: S3Client;

beforeAll(async () => {
  await s3.start();
  client = s3.client();
  await client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(() => s3.dispose());

function put(
  Key: string,
  Body: Exclude<PutObjectCommandInput['Body'], undefined>,
  rest: Partial<PutObjectCommandInput> = {},
) {
  return client.send(new PutObjectCommand({ Bucket, Key, Body, ...rest }));
}

async function read(Key: string, rest: object = {}): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...rest }));
  return Buffer.from(await Body!.transformToByteArray());
}

/** A raw HTTP exchange, for what the SDK would not send. */
function raw(method: string, path: string, headers: Record<string, string> = {}, body: Buffer | string = '') {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(s3.endpoint);
    const request = httpRequest({
      hostname,
      port,
      method,
      path,
      headers: { 'content-length': Buffer.byteLength(body), ...headers },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.end(body);
  });
}

describe('buckets', () => {
  it('creates, finds, lists and deletes', async () => {
    await client.send(
      new CreateBucketCommand({ Bucket: 'second', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
    );

    const head = await client.send(new HeadBucketCommand({ Bucket: 'second' }));
    const location = await client.send(new GetBucketLocationCommand({ Bucket: 'second' }));
    const { Buckets } = await client.send(new ListBucketsCommand({}));

    expect(head.BucketRegion).toBe('eu-west-1');
    expect(location.LocationConstraint).toBe('eu-west-1');
    expect(Buckets?.map(({ Name }) => Name)).toEqual(expect.arrayContaining(['first', 'second']));
    await client.send(new DeleteBucketCommand({ Bucket: 'second' }));
    expect(await failureOf(client.send(new HeadBucketCommand({ Bucket: 'second' })))).toBe('NotFound 404');
  });

  it('answers a repeated creation as S3 does', async () => {
    const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' as const };
    await client.send(new CreateBucketCommand({ Bucket: 'third', CreateBucketConfiguration }));

    await client.send(new CreateBucketCommand({ Bucket }));

    expect(await failureOf(client.send(new CreateBucketCommand({ Bucket: 'third', CreateBucketConfiguration })))).toBe(
      'BucketAlreadyOwnedByYou 409',
    );
  });

  it('refuses bad names, missing buckets and deleting a full one', async () => {
    await put('occupant', 'x');

    expect(await failureOf(client.send(new CreateBucketCommand({ Bucket: 'Bad_Name' })))).toBe('InvalidBucketName 400');
    expect(await failureOf(client.send(new PutObjectCommand({ Bucket: 'absent', Key: 'k', Body: 'x' })))).toBe(
      'NoSuchBucket 404',
    );
    expect(await failureOf(client.send(new DeleteBucketCommand({ Bucket })))).toBe('BucketNotEmpty 409');
  });

  it('keeps lifecycle and CORS configuration and answers preflights', async () => {
    expect(await failureOf(client.send(new GetBucketCorsCommand({ Bucket })))).toBe('NoSuchCORSConfiguration 404');
    await client.send(
      new PutBucketCorsCommand({
        Bucket,
        CORSConfiguration: {
          CORSRules: [
            {
              AllowedOrigins: ['https://*.example.org'],
              AllowedMethods: ['GET', 'PUT'],
              AllowedHeaders: ['x-*'],
              ExposeHeaders: ['ETag'],
            },
          ],
        },
      }),
    );
    await client.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: {
          Rules: [
            {
              ID: 'abort',
              Status: 'Enabled',
              Filter: { Prefix: '' },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
            },
          ],
        },
      }),
    );
    const origin = 'https://console.example.org';
    const preflight = { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'X-Thing' };

    const allowed = await raw('OPTIONS', `/${Bucket}/key`, preflight);
    const denied = await raw('OPTIONS', `/${Bucket}/key`, { ...preflight, origin: 'https://example.com' });
    const plain = await raw('GET', `/${Bucket}/occupant`, { origin });

    expect(allowed.status).toBe(200);
    expect(allowed.headers['access-control-allow-origin']).toBe(origin);
    expect(allowed.headers['access-control-allow-headers']).toBe('x-thing');
    expect(denied.status).toBe(403);
    expect(plain.headers['access-control-expose-headers']).toBe('ETag');
    const { CORSRules } = await client.send(new GetBucketCorsCommand({ Bucket }));
    expect(CORSRules?.[0]?.AllowedMethods).toEqual(['GET', 'PUT']);
    const { Rules } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(Rules?.[0]?.ID).toBe('abort');
  });
});

describe('writing and reading', () => {
  it('gives back bytes, headers, metadata and tags', async () => {
    const body = sampleBytes(300_000);
    await put('full', body, {
      ContentType: 'text/x-test',
      CacheControl: 'no-store',
      ContentEncoding: 'br',
      Metadata: { name: 'a b', other: 'x' },
      Tagging: 'a=1&b%20c=2',
    });

    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'full' }));
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'full', ResponseContentType: 'x/y' }));

    expect(head).toMatchObject({
      ContentLength: 300_000,
      ContentType: 'text/x-test',
      CacheControl: 'no-store',
      ContentEncoding: 'br',
    });
    expect(head.Metadata).toEqual({ name: 'a b', other: 'x' });
    expect(head.ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
    expect(got.ContentType).toBe('x/y');
    expect(got.TagCount).toBe(2);
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(body)).toBe(true);
  });

  it.each([0, 1, 65_535, 65_536, 65_537, 1_048_576, 1_048_577, 3_500_001])('round-trips %i bytes', async (size) => {
    const body = sampleBytes(size, size + 1);

    await put('sized', body);

    expect((await read('sized')).equals(body)).toBe(true);
  });

  it('decodes a streamed body with a trailing checksum', async () => {
    const body = sampleBytes(2_500_000);
    const stream = Readable.from([body.subarray(0, 1000), body.subarray(1000, 1_500_000), body.subarray(1_500_000)]);

    const answer = await put('streamed', stream, { ContentLength: body.length, ChecksumAlgorithm: 'CRC32' });

    expect(answer.ChecksumCRC32).toBeTypeOf('string');
    expect((await read('streamed')).equals(body)).toBe(true);
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'computes and verifies %s',
    async (ChecksumAlgorithm) => {
      const body = sampleBytes(100_003);
      const field = `Checksum${ChecksumAlgorithm}` as const;

      const answer = await put('summed', body, { ChecksumAlgorithm });
      const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'summed', ChecksumMode: 'ENABLED' }));

      expect(head[field]).toBe(answer[field]);
      expect((await read('summed', { ChecksumMode: 'ENABLED' })).equals(body)).toBe(true);
      const wrong = await client.send(new HeadObjectCommand({ Bucket, Key: 'summed', ChecksumMode: 'ENABLED' }));
      expect(await failureOf(put('summed-badly', 'other', { [field]: wrong[field] }))).toBe('BadDigest 400');
      expect(await failureOf(read('summed-badly'))).toBe('NoSuchKey 404');
    },
  );

  it('verifies Content-MD5 and the announced length', async () => {
    const ContentMD5 = createHash('md5').update('right').digest('base64');
    await put('md5', 'right', { ContentMD5 });

    expect(await failureOf(put('md5', 'wrong', { ContentMD5 }))).toBe('BadDigest 400');
    const short = await raw(
      'PUT',
      `/${Bucket}/short`,
      { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x-amz-decoded-content-length': '9' },
      '5\r\nhello\r\n0\r\n\r\n',
    );
    expect([short.status, short.body]).toEqual([400, expect.stringContaining('IncompleteBody')]);
    expect(await failureOf(read('short'))).toBe('NoSuchKey 404');
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=5-9', 5, 10],
    ['bytes=1999990-', 1_999_990, 2_000_000],
    ['bytes=-100', 1_999_900, 2_000_000],
    ['bytes=-9999999', 0, 2_000_000],
    ['bytes=1000000-99999999', 1_000_000, 2_000_000],
  ])('serves %s', async (Range, from, to) => {
    const body = sampleBytes(2_000_000, 7);
    await put('ranged', body);

    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'ranged', Range }));

    expect(got.ContentRange).toBe(`bytes ${from}-${to - 1}/2000000`);
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(body.subarray(from, to))).toBe(true);
  });

  it('answers 416 past the end and ignores what is not one byte range', async () => {
    await put('ten', '0123456789');

    expect(await failureOf(read('ten', { Range: 'bytes=10-' }))).toBe('InvalidRange 416');
    expect(await failureOf(read('ten', { Range: 'bytes=-0' }))).toBe('InvalidRange 416');
    expect((await read('ten', { Range: 'bytes=0-1,4-5' })).toString()).toBe('0123456789');
    expect((await read('ten', { Range: 'lines=1-2' })).toString()).toBe('0123456789');
  });

  it('honours conditions on reads', async () => {
    const { ETag } = await put('conditional', 'x');
    const past = new Date(Date.now() - 3_600_000);
    const future = new Date(Date.now() + 3_600_000);
    const get = (rest: object) => read('conditional', rest);

    await get({ IfMatch: ETag });
    await get({ IfMatch: '*', IfUnmodifiedSince: past });
    await get({ IfNoneMatch: '"other"', IfModifiedSince: future });
    expect(await failureOf(get({ IfMatch: '"other"' }))).toBe('PreconditionFailed 412');
    expect(await failureOf(get({ IfUnmodifiedSince: past }))).toBe('PreconditionFailed 412');
    expect(await failureOf(get({ IfNoneMatch: ETag }))).toMatch(/304$/);
    expect(await failureOf(get({ IfModifiedSince: future }))).toMatch(/304$/);
  });

  it('honours conditions on writes, checked again when the body has arrived', async () => {
    const { ETag } = await put('cas', '1', { IfNoneMatch: '*' });
    await put('cas', '2', { IfMatch: ETag! });

    expect(await failureOf(put('cas', '3', { IfMatch: ETag! }))).toBe('PreconditionFailed 412');
    expect(await failureOf(put('cas', '3', { IfNoneMatch: '*' }))).toBe('PreconditionFailed 412');
    expect(await failureOf(put('no-cas', '3', { IfMatch: ETag! }))).toBe('NoSuchKey 404');
    const racers = Array.from({ length: 12 }, (_, i) => put('race', sampleBytes(200_000, i + 1), { IfNoneMatch: '*' }));
    const outcomes = await Promise.allSettled(racers);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('leaves nothing of an aborted PUT', async () => {
    const before = s3.blobFiles().length;
    await new Promise<void>((resolve) => {
      const { hostname, port } = new URL(s3.endpoint);
      const request = httpRequest({
        hostname,
        port,
        method: 'PUT',
        path: `/${Bucket}/aborted`,
        headers: { 'content-length': 50_000_000 },
      });
      request.on('error', () => resolve());
      request.write(sampleBytes(3_000_000), () => request.destroy(new Error('gone')));
    });

    expect(await failureOf(read('aborted'))).toBe('NoSuchKey 404');
    await expect.poll(() => s3.blobFiles().length).toBe(before);
  });

  it('gives a reader in flight the old bytes while the object is overwritten and deleted', async () => {
    const old = sampleBytes(24_000_000, 3);
    await put('replaced', old);
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'replaced' }));

    await put('replaced', 'new');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'replaced' }));

    expect(Buffer.from(await Body!.transformToByteArray()).equals(old)).toBe(true);
  });

  it.each([
    '../../x',
    '/leading',
    'd//e',
    'd/e/',
    './.',
    'a+b c',
    'per%20cent%2F',
    'q?x=1&y#z',
    'ünï/日本/😀',
    'quote\'"<&>;',
    'star*(tilde)~!',
    '_glimpse/s3/faults/x',
    'k'.repeat(1024),
    'line\nfeed\ttab',
  ])('keeps the key %j to itself', async (Key) => {
    await put(Key, `body of ${Key}`, { Metadata: { m: '1' } });

    expect((await read(Key)).toString()).toBe(`body of ${Key}`);
    await client.send(
      new CopyObjectCommand({ Bucket, Key: 'copy-of-odd', CopySource: encodeURIComponent(`${Bucket}/${Key}`) }),
    );
    expect((await read('copy-of-odd')).toString()).toBe(`body of ${Key}`);
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await failureOf(read(Key))).toBe('NoSuchKey 404');
  });

  it('refuses keys over 1024 bytes, broken encodings and large metadata', async () => {
    expect(await failureOf(put('é'.repeat(513), 'x'))).toBe('KeyTooLongError 400');
    expect((await raw('GET', `/${Bucket}/%zz`)).body).toContain('InvalidURI');
    expect(await failureOf(put('meta', 'x', { Metadata: { big: 'v'.repeat(2048) } }))).toBe('MetadataTooLarge 400');
  });
});

describe('deleting, tagging, copying', () => {
  it('deletes many keys, each with its outcome', async () => {
    await put('m/1', '1');
    const { ETag } = await put('m/<2>', '2');
    const Objects = [{ Key: 'm/1' }, { Key: 'm/<2>', ETag: '"other"' }, { Key: 'm/none' }];

    const answer = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));

    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['m/1', 'm/none']);
    expect(answer.Errors).toMatchObject([{ Key: 'm/<2>', Code: 'PreconditionFailed' }]);
    const quiet = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects: [{ Key: 'm/<2>', ETag }] } }),
    );
    expect(quiet.Deleted).toBeUndefined();
    expect(await failureOf(read('m/<2>'))).toBe('NoSuchKey 404');
  });

  it('reads, replaces and removes tags without touching the object', async () => {
    await put('tagged', 'body');
    const TagSet = [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '<2>' },
    ];

    await client.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet } }));

    expect((await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet).toEqual(TagSet);
    expect((await read('tagged')).toString()).toBe('body');
    await client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'tagged' }));
    expect((await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet ?? []).toEqual([]);
    expect(await failureOf(put('tagged', 'x', { Tagging: 'a=1&a=2' }))).toBe('InvalidTag 400');
  });

  it('copies with and without new metadata, sharing bytes that outlive the source', async () => {
    await put('source', sampleBytes(2_000_000), {
      Metadata: { a: '1' },
      ContentType: 'x/a',
      Tagging: 't=1',
      ChecksumAlgorithm: 'CRC32',
    });
    const blobs = s3.blobFiles().length;
    const copy = (rest: object) =>
      client.send(new CopyObjectCommand({ Bucket, Key: 'kept', CopySource: `/${Bucket}/source`, ...rest }));

    await copy({});
    await copy({ Key: 'changed', MetadataDirective: 'REPLACE', Metadata: { b: '2' }, TaggingDirective: 'REPLACE' });
    const resummed = await copy({ Key: 'resummed', ChecksumAlgorithm: 'SHA256' });

    expect(s3.blobFiles()).toHaveLength(blobs);
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'source' }));
    const kept = await client.send(new HeadObjectCommand({ Bucket, Key: 'kept', ChecksumMode: 'ENABLED' }));
    const changed = await client.send(new HeadObjectCommand({ Bucket, Key: 'changed' }));
    expect([kept.Metadata, kept.ContentType, kept.TagCount]).toEqual([{ a: '1' }, 'x/a', 1]);
    expect(kept.ChecksumCRC32).toBeTypeOf('string');
    expect([changed.Metadata, changed.TagCount]).toEqual([{ b: '2' }, undefined]);
    expect(resummed.CopyObjectResult?.ChecksumSHA256).toBe(
      createHash('sha256').update(sampleBytes(2_000_000)).digest('base64'),
    );
    expect((await read('kept')).equals(sampleBytes(2_000_000))).toBe(true);
  });

  it('checks the conditions and the sense of a copy', async () => {
    const { ETag } = await put('origin', 'x');
    const copy = (rest: object) =>
      client.send(new CopyObjectCommand({ Bucket, Key: 'target', CopySource: `${Bucket}/origin`, ...rest }));

    await copy({ CopySourceIfMatch: ETag });
    expect(await failureOf(copy({ CopySourceIfMatch: '"other"' }))).toBe('PreconditionFailed 412');
    expect(await failureOf(copy({ CopySourceIfNoneMatch: ETag }))).toBe('PreconditionFailed 412');
    expect(await failureOf(copy({ CopySource: `${Bucket}/absent` }))).toBe('NoSuchKey 404');
    expect(await failureOf(copy({ CopySource: 'absent/x' }))).toBe('NoSuchBucket 404');
    expect(await failureOf(copy({ Key: 'origin' }))).toBe('InvalidRequest 400');
    await copy({ Key: 'origin', MetadataDirective: 'REPLACE', Metadata: { now: 'new' } });
    expect((await read('origin')).toString()).toBe('x');
  });
});

describe('what is not there', () => {
  it.each([
    ['PUT', `/${Bucket}/safe?acl`],
    ['PUT', `/${Bucket}/safe?retention`],
    ['PUT', `/${Bucket}/safe?uploadId=x`],
    ['PUT', `/${Bucket}/safe?something-new=1`],
    ['GET', `/${Bucket}/safe?versionId=abc`],
    ['GET', `/${Bucket}?website`],
    ['POST', `/${Bucket}/safe?select&select-type=2`],
  ])('answers %s %s with 501 and leaves the object alone', async (method, path) => {
    await put('safe', 'safe');

    const answer = await raw(method, path, {}, '<x/>');

    expect([answer.status, answer.body]).toEqual([501, expect.stringContaining('<Code>NotImplemented</Code>')]);
    expect((await read('safe')).toString()).toBe('safe');
  });

  it('answers the SDK with typed errors', async () => {
    expect(await failureOf(client.send(new GetBucketAclCommand({ Bucket })))).toBe('NotImplemented 501');
    expect(await failureOf(client.send(new HeadObjectCommand({ Bucket, Key: 'absent' })))).toBe('NotFound 404');
    expect((await raw('PATCH', `/${Bucket}/x`)).status).toBe(405);
    expect((await raw('POST', `/${Bucket}?delete`, {}, '<!DOCTYPE x><Delete/>')).body).toContain('MalformedXML');
  });

  it('breaks and mends a bucket on request', async () => {
    await put('faulty', 'x');
    const path = `/_glimpse/s3/faults/${Bucket}`;
    const fault = { status: 503, code: 'ServiceUnavailable', methods: ['GET'], count: 2 };

    expect((await raw('PUT', path, {}, JSON.stringify(fault))).status).toBe(204);

    await client.send(new HeadObjectCommand({ Bucket, Key: 'faulty' }));
    expect(await failureOf(read('faulty'))).toBe('ServiceUnavailable 503');
    expect(await failureOf(read('faulty'))).toBe('ServiceUnavailable 503');
    expect((await read('faulty')).toString()).toBe('x');
    await raw('PUT', path, {}, JSON.stringify({ status: 500, code: 'InternalError' }));
    expect(await failureOf(put('faulty', 'y'))).toBe('InternalError 500');
    await raw('DELETE', path);
    await put('faulty', 'y');
    expect((await raw('PUT', path, {}, '{"status":200}')).status).toBe(400);
  });

  it('takes an upload of unknown length through lib-storage', async () => {
    const body = sampleBytes(13_000_000);
    const upload = new Upload({
      client,
      params: { Bucket, Key: 'unknown', Body: Readable.from([body.subarray(0, 9_000_000), body.subarray(9_000_000)]) },
    });

    await upload.done();

    expect((await read('unknown')).equals(body)).toBe(true);
  });
});

it('answers a body that goes wrong halfway, without cutting the connection', async () => {
  const answer = await raw(
    'PUT',
    `/${Bucket}/halfway`,
    { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x-amz-decoded-content-length': '3000000' },
    Buffer.concat([Buffer.from('nonsense\r\n'), sampleBytes(3_000_000)]),
  );
  const renamed = await raw(
    'GET',
    `/${Bucket}/occupant?response-content-disposition=${encodeURIComponent('filename="日本.raw"')}`,
  );
  const split = await raw('GET', `/${Bucket}/occupant?response-content-type=a%0d%0ab`);

  expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('bad chunk size')]);
  expect(Buffer.from(String(renamed.headers['content-disposition']), 'latin1').toString()).toBe('filename="日本.raw"');
  expect(split.status).toBe(400);
});
