import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketNotificationConfigurationCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createS3 } from '../../local/s3/server.ts';
import { Journal } from '../../local/s3/store/journal.ts';
import type { Entry } from '../../local/s3/store/model.ts';
import { failureOf, S3Process, sampleBytes } from '../support/s3-process.ts';

const Bucket = 'kept';
let s3: S3Process;
let client: S3Client;

beforeEach(async () => {
  s3 = await new S3Process().start();
  client = s3.client();
  await client.send(new CreateBucketCommand({ Bucket }));
});

afterEach(() => s3.dispose());

async function restart(): Promise<void> {
  await s3.kill();
  await s3.start();
  client = s3.client();
}

async function read(Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from(await Body!.transformToByteArray());
}

function enableEvents(): Promise<unknown> {
  return client.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
}

describe('kill -9', () => {
  it.each([1, 2, 3])(
    'loses no acknowledged byte and leaves no other in the middle of parallel uploads (round %i)',
    async (round) => {
      const acknowledged = new Map<string, string>();
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'multi' }));
      const parts = new Set<number>();
      const overwritten = new Map<string, Set<string>>();
      const writer = async (lane: number): Promise<void> => {
        for (let i = 0; ; i += 1) {
          const body = randomBytes(lane % 2 === 0 ? 3_000 : 2_500_000);
          const digest = createHash('sha256').update(body).digest('hex');
          const Key = i % 3 === 2 ? `lane-${lane}/again` : `lane-${lane}/${i}`;
          overwritten.set(Key, (overwritten.get(Key) ?? new Set()).add(digest));
          await client.send(new PutObjectCommand({ Bucket, Key, Body: body }));
          acknowledged.set(Key, digest);
          const PartNumber = lane * 100 + i + 1;
          await client.send(new UploadPartCommand({ Bucket, Key: 'multi', UploadId, PartNumber, Body: body }));
          parts.add(PartNumber);
        }
      };
      const lanes = Array.from({ length: 6 }, (_, lane) => writer(lane).catch(() => undefined));
      await expect.poll(() => acknowledged.size, { interval: 5 }).toBeGreaterThan(8 * round);

      await restart();
      await Promise.all(lanes);

      for (const [Key, digest] of acknowledged) {
        const found = createHash('sha256')
          .update(await read(Key))
          .digest('hex');
        // The last acknowledged body, or a later one whose answer the kill cut off.
        if (found !== digest) expect(overwritten.get(Key)).toContain(found);
      }
      const listed = await client.send(new ListObjectsV2Command({ Bucket }));
      const listedParts = await client.send(new ListPartsCommand({ Bucket, Key: 'multi', UploadId }));
      expect(listedParts.Parts?.map(({ PartNumber }) => PartNumber)).toEqual(expect.arrayContaining([...parts]));
      expect(s3.blobFiles()).toHaveLength((listed.KeyCount ?? 0) + (listedParts.Parts?.length ?? 0));
    },
  );

  it('keeps completed uploads, copies and the answer to a repeated Complete', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'done' }));
    const { ETag } = await client.send(
      new UploadPartCommand({ Bucket, Key: 'done', UploadId, PartNumber: 1, Body: 'body' }),
    );
    const complete = () =>
      client.send(
        new CompleteMultipartUploadCommand({
          Bucket,
          Key: 'done',
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
        }),
      );
    const first = await complete();
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/done` }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'done' }));

    await restart();

    expect((await complete()).ETag).toBe(first.ETag);
    expect((await read('copy')).toString()).toBe('body');
    expect(await failureOf(read('done'))).toBe('NoSuchKey 404');
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
    expect(s3.blobFiles()).toHaveLength(1);
  });

  it('drops a torn last line and bytes that no entry names, and refuses a damaged middle', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'safe', Body: 'safe' }));
    await s3.kill();
    const journal = join(s3.dataDir, 'journal', 'journal-0.log');
    const whole = readFileSync(journal);
    appendFileSync(journal, whole.subarray(0, 40));
    writeFileSync(join(s3.dataDir, 'blobs', 'ab', 'ab'.repeat(16)), 'orphan');

    await restart();

    expect((await read('safe')).toString()).toBe('safe');
    expect(s3.blobFiles()).toHaveLength(1);
    await s3.kill();
    expect(readFileSync(journal).equals(whole)).toBe(true);
    whole[15] = 0;
    writeFileSync(journal, whole);
    await expect(s3.start()).rejects.toThrow(/journal-0\.log is damaged at byte 0/);
  });
});

describe('one directory, one process', () => {
  it('refuses a directory in use with one line and takes over a dead one', async () => {
    const second = createS3({ dataDir: s3.dataDir });

    await expect(second.ready).rejects.toThrow(/^S3 data directory is in use by process \d+ \(.*\)$/);
    await s3.kill();
    const third = createS3({ dataDir: s3.dataDir });
    await third.ready;
    await third.close();
    const fourth = createS3({ dataDir: s3.dataDir });
    await fourth.ready;
    await fourth.close();
  });
});

describe('object events', () => {
  it('reports creations and deletions of buckets that ask for it, with growing sequencers', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'silent', Body: 'x' }));
    await enableEvents();
    const { EventBridgeConfiguration } = await client.send(new GetBucketNotificationConfigurationCommand({ Bucket }));

    const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: 'odd key/é', Body: 'body' }));
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/silent` }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'odd key/é' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'never there' }));
    const deleted = await s3.event(({ name }) => name === 'Object Deleted');

    expect(EventBridgeConfiguration).toBeDefined();
    const created = await s3.event(({ reason }) => reason === 'PutObject');
    expect(created).toMatchObject({
      bucket: Bucket,
      key: 'odd key/é',
      size: 4,
      etag: ETag?.replaceAll('"', ''),
      region: 'us-east-1',
    });
    expect(deleted).toMatchObject({ reason: 'DeleteObject', key: 'odd key/é' });
    expect(deleted.sequencer > created.sequencer).toBe(true);
    expect(deleted.sequencer).toHaveLength(created.sequencer.length);
    expect(s3.events.map(({ key }) => key).sort()).toEqual(['copy', 'odd key/é', 'odd key/é']);
  });

  it('offers an event again until it is taken, across a kill too', async () => {
    await enableEvents();
    await s3.rejectEvents(true);
    await client.send(new PutObjectCommand({ Bucket, Key: 'insistent', Body: 'x' }));
    await expect.poll(() => s3.events.length).toBeGreaterThan(2);

    await s3.kill();
    s3.events.length = 0;
    await s3.start();
    const again = await s3.event(({ key }) => key === 'insistent');

    expect(again).toMatchObject({ key: 'insistent', reason: 'PutObject' });
  });

  it('does not offer a delivered event again', async () => {
    await enableEvents();
    await client.send(new PutObjectCommand({ Bucket, Key: 'taken', Body: 'x' }));
    await s3.event(({ key }) => key === 'taken');
    await expect
      .poll(() => readFileSync(join(s3.dataDir, 'journal', 'journal-0.log'), 'utf8'))
      .toContain('event-delivered');
    await s3.kill();
    s3.events.length = 0;

    await restart();
    await client.send(new PutObjectCommand({ Bucket, Key: 'next', Body: 'x' }));
    await s3.event(({ key }) => key === 'next');

    expect(s3.events.map(({ key }) => key)).toEqual(['next']);
  });
});

describe('Journal', () => {
  it('compacts while it is written to and replays to the same state', async () => {
    const dir = join(s3.dataDir, 'other');
    mkdirSync(dir);
    const replayed: Entry[] = [];
    const journal = Journal.open(dir, false, () => undefined);
    const entry = (value: number): Entry => ({ type: 'sequence', value });
    for (let i = 0; i < 2_000; i += 1) journal.append(entry(i));

    const compaction = journal.compact(function* () {
      for (let i = 10_000; i < 12_000; i += 1) yield entry(i);
    });
    journal.append(entry(-1));
    await compaction;
    journal.append(entry(-2));
    await journal.close();

    await Journal.open(dir, true, (found) => replayed.push(found)).close();
    expect(replayed.map((found) => 'value' in found && found.value)).toEqual([
      ...Array.from({ length: 2_000 }, (_, i) => i + 10_000),
      -1,
      -2,
    ]);
    expect(readdirSync(dir).sort()).toEqual(['journal-1.log', 'snapshot-1.log']);
    expect(() => journal.append(entry(0))).toThrow();
  });
});

it('answers after fsync when asked to', async () => {
  await s3.kill();
  await s3.start({ fsync: true });
  client = s3.client();
  const body = sampleBytes(2_000_000);

  await client.send(new PutObjectCommand({ Bucket, Key: 'synced', Body: body }));

  expect((await read('synced')).equals(body)).toBe(true);
});
