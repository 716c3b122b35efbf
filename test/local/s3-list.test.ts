import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareKeys, KeyIndex } from '../../local/s3/store/key-index.ts';
import { effortOf } from '../support/effort.ts';
import { failureOf, S3Process } from '../support/s3-process.ts';

const Bucket = 'listed';
const KEYS = ['a', 'a/1', 'a/2', 'a/2/x', 'a0', 'b/', 'b/1', 'c+d e', 'd\n<&>', 'z/1', 'z/2', '\uffee', '😀'];
const s3 = new S3Process();
let client: S3Client;

beforeAll(async () => {
  await s3.start();
  client = s3.client();
  await client.send(new CreateBucketCommand({ Bucket }));
  for (const Key of KEYS.toReversed()) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
});

afterAll(() => s3.dispose());

/** All pages of a listing: keys and common prefixes (marked) in the order received. */
async function listAll(input: object): Promise<string[]> {
  const found: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ...input, ContinuationToken }));
    const names = [
      ...(page.Contents ?? []).map(({ Key }) => Key!),
      ...(page.CommonPrefixes ?? []).map(({ Prefix }) => `${Prefix}…`),
    ];
    expect(page.KeyCount).toBe(names.length);
    found.push(...names);
    ContinuationToken = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
  } while (ContinuationToken !== undefined);
  return found;
}

describe('ListObjectsV2', () => {
  it.each([1, 2, 3, 1000])('lists in UTF-8 order, %i a page', async (MaxKeys) => {
    expect(await listAll({ MaxKeys })).toEqual(KEYS);
  });

  it.each([1, 2, 1000])('rolls keys up by delimiter, %i a page', async (MaxKeys) => {
    const found = await listAll({ Delimiter: '/', MaxKeys });

    expect(found.toSorted()).toEqual(['a', 'a/…', 'a0', 'b/…', 'c+d e', 'd\n<&>', 'z/…', '\uffee', '😀'].toSorted());
  });

  it('combines prefix, delimiter and start-after', async () => {
    expect(await listAll({ Prefix: 'a/', Delimiter: '/', MaxKeys: 1 })).toEqual(['a/1', 'a/2', 'a/2/…']);
    expect(await listAll({ StartAfter: 'b/' })).toEqual(KEYS.slice(6));
    expect(await listAll({ Prefix: 'a', StartAfter: 'a/1' })).toEqual(['a/2', 'a/2/x', 'a0']);
    expect(await listAll({ Prefix: 'nothing' })).toEqual([]);
    expect(await listAll({ MaxKeys: 0 })).toEqual([]);
  });

  it('encodes keys on request and refuses a made-up token', async () => {
    const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'c', EncodingType: 'url' }));

    expect(page.Contents?.map(({ Key }) => Key)).toEqual(['c%2Bd%20e']);
    expect(await failureOf(client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: 'x' })))).toBe(
      'InvalidArgument 400',
    );
    expect(await failureOf(client.send(new ListObjectsV2Command({ Bucket: 'absent' })))).toBe('NoSuchBucket 404');
  });

  it('goes on where it was when keys vanish between pages', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'a1', Body: '' }));
    const page = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 6 }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a1' }));

    const rest = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: page.NextContinuationToken }));

    expect(page.Contents?.at(-1)?.Key).toBe('a1');
    expect(rest.Contents?.map(({ Key }) => Key)).toEqual(KEYS.slice(5));
  });
});

it('lists by marker (version 1)', async () => {
  const found: string[] = [];
  let Marker: string | undefined;
  do {
    const page = await client.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2, Marker }));
    found.push(
      ...(page.Contents ?? []).map(({ Key }) => Key!),
      ...(page.CommonPrefixes ?? []).map(({ Prefix }) => `${Prefix}…`),
    );
    Marker = page.NextMarker;
  } while (Marker !== undefined);

  expect(found.toSorted()).toEqual(['a', 'a/…', 'a0', 'b/…', 'c+d e', 'd\n<&>', 'z/…', '\uffee', '😀'].toSorted());
});

describe('KeyIndex', () => {
  it('agrees with a sorted array under random inserts and deletes', () => {
    const index = new KeyIndex<number>();
    const model = new Set<string>();
    let state = 1;
    for (let i = 0; i < 20_000; i += 1) {
      state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
      const key = `k${state % 7_000}`;
      if (state % 3 === 0) {
        index.delete(key);
        model.delete(key);
      } else {
        index.set(key, i);
        model.add(key);
      }
    }

    expect(index.keys()).toEqual([...model].sort());
    expect(index.size).toBe(model.size);
  });

  it('orders like UTF-8 bytes', () => {
    const keys = ['', 'a', 'a\u0000', 'ab', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '😀a'];
    const bytewise = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

    expect(keys.toReversed().sort(compareKeys)).toEqual(bytewise);
  });

  it('stays quick at 100,000 keys', async () => {
    const index = new KeyIndex<number>();
    let steps = 0;
    const effort = await effortOf(() => {
      for (let i = 0; i < 100_000; i += 1) index.set(`images/${(i * 7919) % 100_000}/data`, i);
      for (let at = index.seek(() => false); at !== undefined; steps += 1) {
        const [previous] = at;
        at = index.seek((key) => compareKeys(key, previous) <= 0);
      }
    });

    expect(steps).toBe(100_000);
    expect(effort).toBeLessThan(500);
  });
});
