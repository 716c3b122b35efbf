import { request } from 'node:http';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OperationReport, StrictS3Options } from '../../local/s3/strict.ts';
import { failureOf, S3Process, sampleBytes } from '../support/s3-process.ts';

const MIB = 1024 * 1024;
const HOME = 'us-east-1';
const AWAY = 'eu-central-1';

let s3: S3Process;
let home: S3Client;
let away: S3Client;

/** Two buckets, one in each region. */
async function start(strict: StrictS3Options): Promise<void> {
  await s3.start({ strict });
  home = s3.client({ region: HOME });
  away = s3.client({ region: AWAY });
  await home.send(new CreateBucketCommand({ Bucket: 'home' }));
  await away.send(new CreateBucketCommand({ Bucket: 'away', CreateBucketConfiguration: { LocationConstraint: AWAY } }));
}
beforeEach(() => {
  s3 = new S3Process();
});
afterEach(() => s3.dispose());

const put = (client: S3Client, Bucket: string, bytes = 10) =>
  client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: sampleBytes(bytes) }));
const copy = (client: S3Client, Bucket: string, CopySource: string) =>
  client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));

/** A request sent to a host of its own choice. */
function sentTo(host: string, path: string): Promise<{ status: number; region: unknown; body: string }> {
  return new Promise((resolve, reject) => {
    request(`${s3.endpoint}${path}`, { headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          region: response.headers['x-amz-bucket-region'],
          body: Buffer.concat(chunks).toString(),
        }),
      );
    })
      .on('error', reject)
      .end();
  });
}

/** Amazon S3 API Reference, "Error responses"; Amazon S3 User Guide, "Request redirection and the REST API". */
describe('regions', () => {
  it('a request signed for another region is told which one to sign for', async () => {
    await start({});

    const error: unknown = await home.send(new GetObjectCommand({ Bucket: 'away', Key: 'k' })).catch((e) => e);

    expect(error).toMatchObject({
      name: 'AuthorizationHeaderMalformed',
      message: "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'",
      Region: AWAY,
      $metadata: { httpStatusCode: 400 },
    });
    expect(await failureOf(put(away, 'home'))).toBe('AuthorizationHeaderMalformed 400');
    await put(away, 'away');
  });

  it('HeadBucket names the region even then', async () => {
    await start({});

    const error: unknown = await home.send(new HeadBucketCommand({ Bucket: 'away' })).catch((e) => e);

    expect(error).toMatchObject({ $response: { headers: { 'x-amz-bucket-region': AWAY } } });
  });

  it.each([
    [`s3.${HOME}.amazonaws.com`, 301],
    [`s3-${HOME}.localhost`, 301],
    [`s3.${AWAY}.amazonaws.com`, 404],
    ['127.0.0.1', 404],
  ])('a request to %s for a bucket of another region: %d', async (host, status) => {
    await start({});
    const answer = await sentTo(host, '/away/k');

    expect(answer.status).toBe(status);
    if (status !== 301) return;
    expect(answer.region).toBe(AWAY);
    expect(answer.body).toContain('<Code>PermanentRedirect</Code>');
    expect(answer.body).toContain(`<Endpoint>s3.${AWAY}.amazonaws.com</Endpoint>`);
  });

  it.each([
    ['a region makes its own', AWAY, AWAY, 200],
    ['us-east-1 makes any', HOME, AWAY, 200],
    ['without saying where', AWAY, '', 400],
    ['for another one', AWAY, 'ap-northeast-1', 400],
  ])('new buckets: %s', async (_, region, constraint, status) => {
    await start({});
    // The SDK would add its own region.
    const answer = await fetch(`${s3.endpoint}/new`, {
      method: 'PUT',
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=x/20261130/${region}/s3/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: `<CreateBucketConfiguration><LocationConstraint>${constraint}</LocationConstraint></CreateBucketConfiguration>`,
    });

    expect(answer.status).toBe(status);
    if (status === 400) expect(await answer.text()).toContain('<Code>IllegalLocationConstraintException</Code>');
  });

  it('a copy is asked of the region that it goes to, and may come from any', async () => {
    await start({});
    await put(home, 'home');

    await copy(away, 'away', 'home/k');
    expect(await failureOf(copy(home, 'away', 'home/k'))).toBe('AuthorizationHeaderMalformed 400');
  });

  it('a gateway endpoint of a VPC copies within its region only', async () => {
    await start({ vpcEndpoint: true });
    await put(home, 'home');

    await copy(home, 'home', 'home/k');
    await expect(copy(away, 'away', 'home/k')).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'VPC endpoints do not support cross-region requests',
    });
  });

  it('may be switched off', async () => {
    await start({ regions: false });

    await put(home, 'away');
  });
});

describe('copies', () => {
  it('are refused above the size of one request', async () => {
    await start({ maxCopyBytes: 6 * MIB });
    await put(home, 'home', 6 * MIB + 1);
    const { UploadId } = await home.send(new CreateMultipartUploadCommand({ Bucket: 'home', Key: 'copy' }));
    const part = (CopySourceRange?: string) =>
      home.send(
        new UploadPartCopyCommand({
          ...{ Bucket: 'home', Key: 'copy', UploadId, PartNumber: 1, CopySource: 'home/k' },
          ...(CopySourceRange === undefined ? {} : { CopySourceRange }),
        }),
      );
    const tooLarge = {
      name: 'InvalidRequest',
      message: `The specified copy source is larger than the maximum allowable size for a copy source: ${6 * MIB}`,
    };

    await expect(copy(home, 'home', 'home/k')).rejects.toMatchObject(tooLarge);
    await expect(part()).rejects.toMatchObject(tooLarge);
    await part(`bytes=0-${6 * MIB - 1}`);
    await expect(part(`bytes=0-${6 * MIB + 1}`)).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  it('take a range of what is larger than 5 MiB only', async () => {
    await start({});
    await put(home, 'home', 5 * MIB);
    const { UploadId } = await home.send(new CreateMultipartUploadCommand({ Bucket: 'home', Key: 'copy' }));
    const part = { Bucket: 'home', Key: 'copy', UploadId, PartNumber: 1, CopySource: 'home/k' };

    await expect(home.send(new UploadPartCopyCommand({ ...part, CopySourceRange: 'bytes=0-9' }))).rejects.toMatchObject(
      {
        name: 'InvalidRequest',
        message: 'The specified copy source is not supported as a byte-range copy source.',
      },
    );
    await home.send(new UploadPartCopyCommand(part));
  });

  it('take their time', async () => {
    await start({ copyMsPerMib: 100 });
    await put(home, 'home', 4 * MIB);
    const begun = performance.now();

    await copy(home, 'home', 'home/k');

    expect(performance.now() - begun).toBeGreaterThanOrEqual(390);
  });
});

it('requests are told to slow down, in runs, the same for the same seed', async () => {
  const outcomes = async (seed: number): Promise<string> => {
    s3 = new S3Process();
    await s3.start({ strict: { slowDownRate: 0.1, slowDownBurst: 3, seed } });
    const client = s3.client();
    let all = '';
    for (let n = 0; n < 60; n++)
      all += (await failureOf(client.send(new ListPartsCommand({ Bucket: 'b', Key: 'k', UploadId: 'u' })))).includes(
        'SlowDown 503',
      )
        ? 's'
        : '.';
    await s3.dispose();
    return all;
  };
  const first = await outcomes(3);

  expect(first).toContain('.');
  expect(first).toMatch(/(^|\.)sss(\.|sss|$)/);
  expect(await outcomes(3)).toBe(first);
  expect(await outcomes(4)).not.toBe(first);
});

it('counts requests and bytes per operation, until it counts anew', async () => {
  await start({});
  await put(home, 'home', 1000);
  await put(home, 'home', 500);
  await (
    await home.send(new GetObjectCommand({ Bucket: 'home', Key: 'k', Range: 'bytes=0-99' }))
  ).Body?.transformToByteArray();
  await copy(home, 'home', 'home/k');
  await failureOf(home.send(new GetObjectCommand({ Bucket: 'home', Key: 'none' })));
  const report = async () => {
    const { operations } = (await (await fetch(`${s3.endpoint}/_glimpse/s3/report`)).json()) as {
      operations: OperationReport[];
    };
    return Object.fromEntries(operations.map(({ operation, ...rest }) => [operation, rest]));
  };

  expect(await report()).toMatchObject({
    PutObject: { requests: 2, receivedBytes: 1500, sentBytes: 0, copiedBytes: 0, failures: {} },
    GetObject: { requests: 2, receivedBytes: 0, sentBytes: 100, failures: { NoSuchKey: 1 } },
    CopyObject: { requests: 1, copiedBytes: 500 },
    CreateBucket: { requests: 2 },
  });
  await fetch(`${s3.endpoint}/_glimpse/s3/report`, { method: 'DELETE' });
  expect(await report()).toEqual({});
});

/** Amazon S3 User Guide, "Specifying server-side encryption with AWS KMS", "Require SSE-KMS for all objects written to a bucket". */
describe('encryption', () => {
  const KEY = 'arn:aws:kms:us-east-1:000000000000:key/k';
  const BY_KEY = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KEY } as const;
  const head = async (Key: string) => home.send(new HeadObjectCommand({ Bucket: 'home', Key }));
  const write = (Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    home.send(new PutObjectCommand({ Bucket: 'home', Key, Body: 'x', ...more }));

  it('is what the request says, and given back', async () => {
    await start({});

    expect(await write('k', BY_KEY)).toMatchObject(BY_KEY);
    expect(await head('k')).toMatchObject(BY_KEY);
    await copy(home, 'home', 'home/k');
    expect((await head('copy')).ServerSideEncryption).toBe('AES256');
    const { UploadId, ...upload } = await home.send(
      new CreateMultipartUploadCommand({ Bucket: 'home', Key: 'k', ...BY_KEY }),
    );
    expect(upload).toMatchObject(BY_KEY);
  });

  it.each([
    ['a method that there is not', { ServerSideEncryption: 'rot13' as 'AES256' }],
    ['a key without its method', { SSEKMSKeyId: KEY }],
  ])('%s is refused', async (_, encryption) => {
    await start({});

    expect(await failureOf(write('k', encryption))).toBe('InvalidArgument 400');
  });

  it('is what the bucket says otherwise', async () => {
    await start({});
    const byDefault = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: KEY } as const;
    const ServerSideEncryptionConfiguration = { Rules: [{ ApplyServerSideEncryptionByDefault: byDefault }] };
    expect(await home.send(new GetBucketEncryptionCommand({ Bucket: 'home' }))).toMatchObject({
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
    });
    await home.send(new PutBucketEncryptionCommand({ Bucket: 'home', ServerSideEncryptionConfiguration }));
    await write('k');
    await write('own', { ServerSideEncryption: 'AES256' });

    expect(await head('k')).toMatchObject(BY_KEY);
    const own = await head('own');
    expect([own.ServerSideEncryption, own.SSEKMSKeyId]).toEqual(['AES256', undefined]);
    expect(await home.send(new GetBucketEncryptionCommand({ Bucket: 'home' }))).toMatchObject({
      ServerSideEncryptionConfiguration,
    });
  });

  it("is needed where the bucket's policy says so", async () => {
    await start({});
    const deny = {
      ...{ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: 'arn:aws:s3:::home/*' },
      Condition: { Null: { 's3:x-amz-server-side-encryption-aws-kms-key-id': 'true' } },
    };
    const policy = (Statement: object) =>
      home.send(new PutBucketPolicyCommand({ Bucket: 'home', Policy: JSON.stringify({ Statement }) }));
    await policy(deny);

    expect(await failureOf(write('k'))).toBe('AccessDenied 403');
    await write('k', BY_KEY);
    expect(await failureOf(copy(home, 'home', 'home/k'))).toBe('AccessDenied 403');
    const upload = { Bucket: 'home', Key: 'parts' };
    const { UploadId } = await home.send(new CreateMultipartUploadCommand({ ...upload, ...BY_KEY }));
    await home.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: 'x' }));
    await put(away, 'away');
    expect(await failureOf(policy({ ...deny, Effect: 'deny' }))).toBe('MalformedPolicy 400');
    await home.send(new DeleteBucketPolicyCommand({ Bucket: 'home' }));
    await write('k');
  });
});
