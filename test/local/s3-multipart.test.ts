import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { failureOf, S3Process, sampleBytes } from '../support/s3-process.ts';

const MIB = 1024 * 1024;
const PART = 5 * MIB;
const Bucket = 'parts';
const s3 = new S3Process();
let client: S3Client;

beforeAll(async () => {
  await s3.start();
  client = s3.client();
  await client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(() => s3.dispose());

async function begin(Key: string, rest: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...rest }));
  return UploadId!;
}

async function part(
  Key: string,
  UploadId: string,
  PartNumber: number,
  Body: Buffer,
  rest: object = {},
): Promise<CompletedPart> {
  const { $metadata: _, ...answer } = await client.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...rest }),
  );
  return { ...answer, PartNumber };
}

async function partCopy(
  Key: string,
  UploadId: string,
  PartNumber: number,
  from: string,
  CopySourceRange?: string,
): Promise<CompletedPart> {
  const { CopyPartResult } = await client.send(
    new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource: `${Bucket}/${from}`, CopySourceRange }),
  );
  return { ETag: CopyPartResult?.ETag, PartNumber };
}

function complete(
  Key: string,
  UploadId: string,
  Parts: CompletedPart[],
  rest: Partial<CompleteMultipartUploadCommandInput> = {},
) {
  return client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...rest }),
  );
}

async function read(Key: string, Range?: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, Range }));
  return Buffer.from(await Body!.transformToByteArray());
}

it('joins parts in number order, whatever order they came in, and drops the ones not chosen', async () => {
  const [one, two] = [sampleBytes(PART, 1), sampleBytes(100, 2)];
  const before = s3.blobFiles().length;
  const id = await begin('joined', { ContentType: 'x/y', Metadata: { m: '1' }, Tagging: 'a=1' });

  const third = await part('joined', id, 7, two);
  await part('joined', id, 9, sampleBytes(PART, 4));
  await part('joined', id, 2, sampleBytes(PART, 5));
  const first = await part('joined', id, 2, one);
  const done = await complete('joined', id, [first, third]);

  expect(done.ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'joined' }));
  expect(head).toMatchObject({
    ContentLength: PART + 100,
    ContentType: 'x/y',
    Metadata: { m: '1' },
    ETag: done.ETag,
    TagCount: 1,
  });
  expect((await read('joined')).equals(Buffer.concat([one, two]))).toBe(true);
  expect(
    (await read('joined', `bytes=${PART - 3}-${PART + 2}`)).equals(
      Buffer.concat([one.subarray(-3), two.subarray(0, 3)]),
    ),
  ).toBe(true);
  await expect.poll(() => s3.blobFiles().length).toBe(before + 2);
});

it('takes a part that was sent again and is named twice: the last counts', async () => {
  const id = await begin('again');
  const first = await part('again', id, 1, sampleBytes(1000));
  const second = await part('again', id, 1, sampleBytes(2000));

  await complete('again', id, [first, second]);

  expect((await read('again')).length).toBe(2000);
});

it('refuses wrong ETags, missing parts, wrong order, small parts, and a list without parts', async () => {
  const id = await begin('refused');
  const one = await part('refused', id, 1, sampleBytes(1000));
  const two = await part('refused', id, 2, sampleBytes(1000));

  expect(await failureOf(complete('refused', id, [{ ...one, ETag: '"00"' }]))).toBe('InvalidPart 400');
  expect(await failureOf(complete('refused', id, [one, { ...two, PartNumber: 3 }]))).toBe('InvalidPart 400');
  expect(await failureOf(complete('refused', id, [two, one]))).toBe('InvalidPartOrder 400');
  expect(await failureOf(complete('refused', id, [one, two]))).toBe('EntityTooSmall 400');
  expect(await failureOf(complete('refused', id, []))).toBe('InvalidRequest 400');
  expect(await failureOf(complete('refused', id, [one], { MpuObjectSize: 7 }))).toBe('InvalidRequest 400');
  expect(await failureOf(part('refused', id, 10_001, Buffer.from('x')))).toBe('InvalidArgument 400');
  await complete('refused', id, [one], { MpuObjectSize: 1000 });
});

it('knows no upload that was aborted, never begun, or belongs to another key', async () => {
  const id = await begin('aborted');
  await part('aborted', id, 1, sampleBytes(100_000));
  const blobs = s3.blobFiles().length;

  await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId: id }));

  await expect.poll(() => s3.blobFiles().length).toBe(blobs - 1);
  expect(await failureOf(part('aborted', id, 1, Buffer.from('x')))).toBe('NoSuchUpload 404');
  expect(await failureOf(complete('aborted', id, [{ ETag: '"x"', PartNumber: 1 }]))).toBe('NoSuchUpload 404');
  expect(await failureOf(client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'k', UploadId: 'none' })))).toBe(
    'NoSuchUpload 404',
  );
  const other = await begin('mine');
  expect(await failureOf(part('yours', other, 1, Buffer.from('x')))).toBe('NoSuchUpload 404');
  expect(s3.blobFiles()).toHaveLength(blobs - 1);
});

it('gives the same answer to a repeated Complete', async () => {
  const id = await begin('repeated');
  const one = await part('repeated', id, 1, Buffer.from('body'));

  const first = await complete('repeated', id, [one]);
  const again = await complete('repeated', id, [one]);

  expect(again.ETag).toBe(first.ETag);
  expect((await read('repeated')).toString()).toBe('body');
});

it('honours conditions at completion', async () => {
  const existing = await client.send(new PutObjectCommand({ Bucket, Key: 'guarded', Body: 'x' }));
  const id = await begin('guarded');
  const one = await part('guarded', id, 1, Buffer.from('new'));

  expect(await failureOf(complete('guarded', id, [one], { IfNoneMatch: '*' }))).toBe('PreconditionFailed 412');
  expect(await failureOf(complete('guarded', id, [one], { IfMatch: '"other"' }))).toBe('PreconditionFailed 412');
  await complete('guarded', id, [one], { IfMatch: existing.ETag });
  expect((await read('guarded')).toString()).toBe('new');
});

it('combines full-object CRC32s and compares them with the one given', async () => {
  const bodies = [sampleBytes(PART, 1), sampleBytes(PART + 13, 2), sampleBytes(17, 3)];
  const expected = Buffer.alloc(4);
  expected.writeUInt32BE(crc32(Buffer.concat(bodies)));
  const id = await begin('full', { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
  const parts: CompletedPart[] = [];
  for (const [i, body] of bodies.entries())
    parts.push(await part('full', id, i + 1, body, { ChecksumAlgorithm: 'CRC32' }));

  expect(await failureOf(complete('full', id, parts, { ChecksumType: 'FULL_OBJECT', ChecksumCRC32: 'AAAAAA==' }))).toBe(
    'BadDigest 400',
  );
  const wrongPart = { ...parts[0], ChecksumCRC32: 'AAAAAA==' };
  expect(await failureOf(complete('full', id, [wrongPart, ...parts.slice(1)]))).toBe('InvalidPart 400');
  const done = await complete('full', id, parts, {
    ChecksumType: 'FULL_OBJECT',
    ChecksumCRC32: expected.toString('base64'),
  });

  expect([done.ChecksumCRC32, done.ChecksumType]).toEqual([expected.toString('base64'), 'FULL_OBJECT']);
  const got = await client.send(new GetObjectCommand({ Bucket, Key: 'full', ChecksumMode: 'ENABLED' }));
  expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Buffer.concat(bodies))).toBe(true);
});

it.each(['CRC32C', 'CRC64NVME'] as const)(
  'gives a multipart object the %s of the same bytes put at once',
  async (algorithm) => {
    const bodies = [sampleBytes(PART, 4), sampleBytes(12_345, 5)];
    const field = `Checksum${algorithm}` as const;
    const single = await client.send(
      new PutObjectCommand({ Bucket, Key: 'once', Body: Buffer.concat(bodies), ChecksumAlgorithm: algorithm }),
    );
    const id = await begin('twice', { ChecksumAlgorithm: algorithm, ChecksumType: 'FULL_OBJECT' });

    const parts = [
      await part('twice', id, 1, bodies[0]!, { ChecksumAlgorithm: algorithm }),
      await part('twice', id, 2, bodies[1]!, { ChecksumAlgorithm: algorithm }),
    ];
    const done = await complete('twice', id, parts);

    expect(done[field]).toBe(single[field]);
  },
);

it('gives composite checksums for the hashes and refuses impossible combinations', async () => {
  const bodies = [sampleBytes(PART, 1), sampleBytes(99, 2)];
  const id = await begin('composite', { ChecksumAlgorithm: 'SHA256' });
  const parts = [
    await part('composite', id, 1, bodies[0]!, { ChecksumAlgorithm: 'SHA256' }),
    await part('composite', id, 2, bodies[1]!, { ChecksumAlgorithm: 'SHA256' }),
  ];

  const done = await complete('composite', id, parts);

  const digests = bodies.map((body) => createHash('sha256').update(body).digest());
  expect(done.ChecksumSHA256).toBe(`${createHash('sha256').update(Buffer.concat(digests)).digest('base64')}-2`);
  const combinations: [ChecksumAlgorithm, 'FULL_OBJECT' | 'COMPOSITE'][] = [
    ['SHA256', 'FULL_OBJECT'],
    ['CRC64NVME', 'COMPOSITE'],
  ];
  for (const [algorithm, ChecksumType] of combinations) {
    expect(await failureOf(begin('x', { ChecksumAlgorithm: algorithm, ChecksumType }))).toBe('InvalidRequest 400');
  }
  expect(await failureOf(complete('composite', await begin('composite'), []))).toBe('InvalidRequest 400');
});

it('copies ranges into parts without new bytes, checksums included', async () => {
  const body = sampleBytes(2 * PART + 1000, 9);
  await client.send(new PutObjectCommand({ Bucket, Key: 'whole', Body: body }));
  const blobs = s3.blobFiles().length;
  const id = await begin('pieces', { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });

  const parts = [
    await partCopy('pieces', id, 1, 'whole', `bytes=1000-${PART + 999}`),
    await partCopy('pieces', id, 2, 'whole', `bytes=${PART + 1000}-${2 * PART + 999}`),
    await partCopy('pieces', id, 3, 'whole', 'bytes=0-0'),
  ];
  const done = await complete('pieces', id, parts);

  const expected = Buffer.concat([body.subarray(1000), body.subarray(0, 1)]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(expected));
  expect((await read('pieces')).equals(expected)).toBe(true);
  expect(done.ChecksumCRC32).toBe(sum.toString('base64'));
  expect(s3.blobFiles()).toHaveLength(blobs);
  const other = await begin('pieces');
  expect(await failureOf(partCopy('pieces', other, 1, 'whole', `bytes=0-${body.length}`))).toBe('InvalidArgument 400');
  expect(await failureOf(partCopy('pieces', other, 1, 'whole', 'bytes=5-'))).toBe('InvalidArgument 400');
  const condition = {
    Bucket,
    Key: 'pieces',
    UploadId: other,
    PartNumber: 1,
    CopySource: `${Bucket}/whole`,
    CopySourceIfMatch: '"other"',
  };
  expect(await failureOf(client.send(new UploadPartCopyCommand(condition)))).toBe('PreconditionFailed 412');
});

it('addresses bytes past 4 GiB and refuses to copy more than 5 GiB at once', async () => {
  // 64 MiB, joined eight times, joined eleven times: 5.5 GiB of object over one blob file.
  const unit = sampleBytes(64 * MIB, 11);
  await client.send(new PutObjectCommand({ Bucket, Key: 'unit', Body: unit }));
  const repeat = async (Key: string, from: string, count: number): Promise<void> => {
    const id = await begin(Key);
    const parts: CompletedPart[] = [];
    for (let i = 1; i <= count; i += 1) parts.push(await partCopy(Key, id, i, from));
    await complete(Key, id, parts);
  };
  await repeat('half-gib', 'unit', 8);
  await repeat('large', 'half-gib', 11);
  const size = 11 * 8 * unit.length;

  const start = 4 * 1024 * MIB + 64 * MIB - 500;
  const across = await read('large', `bytes=${start}-${start + 999}`);
  const tail = await client.send(new GetObjectCommand({ Bucket, Key: 'large', Range: 'bytes=-10' }));

  expect(across.equals(Buffer.concat([unit.subarray(-500), unit.subarray(0, 500)]))).toBe(true);
  expect(tail.ContentRange).toBe(`bytes ${size - 10}-${size - 1}/${size}`);
  expect(await failureOf(client.send(new CopyObjectCommand({ Bucket, Key: 'x', CopySource: `${Bucket}/large` })))).toBe(
    'InvalidRequest 400',
  );
  const id = await begin('ranged-copy');
  const one = await partCopy('ranged-copy', id, 1, 'large', `bytes=${start}-${start + 999}`);
  await complete('ranged-copy', id, [one]);
  expect((await read('ranged-copy')).equals(across)).toBe(true);
});

it('lists parts and uploads by page', async () => {
  const ids = [await begin('list/a'), await begin('list/a'), await begin('list/b/c')];
  for (const number of [3, 1, 2]) await part('list/a', ids[0]!, number, Buffer.from(`part ${number}`));

  const page = await client.send(new ListPartsCommand({ Bucket, Key: 'list/a', UploadId: ids[0], MaxParts: 2 }));
  const rest = await client.send(
    new ListPartsCommand({ Bucket, Key: 'list/a', UploadId: ids[0], PartNumberMarker: page.NextPartNumberMarker }),
  );
  const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', MaxUploads: 1 }));
  const more = await client.send(
    new ListMultipartUploadsCommand({
      Bucket,
      Prefix: 'list/',
      KeyMarker: uploads.NextKeyMarker,
      UploadIdMarker: uploads.NextUploadIdMarker,
    }),
  );
  const grouped = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', Delimiter: '/' }));

  expect([page.Parts?.map(({ PartNumber }) => PartNumber), page.IsTruncated]).toEqual([[1, 2], true]);
  expect([rest.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]), rest.IsTruncated]).toEqual([[[3, 6]], false]);
  expect([...(uploads.Uploads ?? []), ...(more.Uploads ?? [])].map(({ UploadId }) => UploadId).sort()).toEqual(
    [...ids].sort(),
  );
  expect([uploads.IsTruncated, more.IsTruncated]).toEqual([true, false]);
  expect([grouped.Uploads?.length, grouped.CommonPrefixes?.map(({ Prefix }) => Prefix)]).toEqual([2, ['list/b/']]);
});
