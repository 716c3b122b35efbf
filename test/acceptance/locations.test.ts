/** POST /v2/images/{id}/locations over the whole service: bytes that lie in a store already become an image, hashed by the workflow. */
import { createHash, randomBytes } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { type ImageClient, imageClient, s3Of } from '../support/image-client.ts';
import { becomeService } from '../support/service-role.ts';

const BYTES = randomBytes(9 * 1024 * 1024 + 17);
const digest = (algorithm: string) => createHash(algorithm).update(BYTES).digest('hex');
const BUCKET = 'glimpse-store-dcn0';
const url = `s3://${BUCKET}/brought/image.raw`;

let glimpse: Glimpse;
let images: ImageClient;

beforeAll(async () => {
  glimpse = await startGlimpse();
  images = imageClient(glimpse, 'admin');
  await s3Of(glimpse).send(new PutObjectCommand({ Bucket: BUCKET, Key: 'brought/image.raw', Body: BYTES }));
  await becomeService(glimpse);
});
afterAll(() => glimpse?.stop());

async function brought(body: object) {
  const { id } = await images.create({ disk_format: 'raw' });
  const answer = await glimpse.api('admin', 'POST', `/v2/images/${id}/locations`, { body: { url, ...body } });
  expect(answer.status, await answer.text()).toBe(202);
  const image = await images.settled(id);
  const [task] = await images.tasks(id);
  return { image, task };
}

async function download(id: string): Promise<Buffer> {
  return Buffer.from(await (await glimpse.api('admin', 'GET', `/v2/images/${id}/file`)).arrayBuffer());
}

describe('a location', () => {
  it('with the right hash, of any algorithm, activates the image, which downloads and copies', async () => {
    const validation = { os_hash_algo: 'sha256', os_hash_value: digest('sha256') };
    const { image, task } = await brought({ validation_data: validation });

    expect(image).toMatchObject({ status: 'active', checksum: digest('md5'), size: BYTES.length, ...validation });
    expect(task).toMatchObject({ status: 'success', type: 'location_import' });
    expect((await download(image.id)).equals(BYTES)).toBe(true);

    const copy = { method: { name: 'copy-image' }, stores: ['central'] };
    expect((await images.import(image.id, copy)).status).toBe(202);
    expect((await images.settled(image.id))['stores']).toBe('central,dcn0');
  });

  it('with another hash leaves the image queued and the bytes alone', async () => {
    const { image, task } = await brought({
      validation_data: { os_hash_algo: 'sha512', os_hash_value: 'a'.repeat(128) },
    });

    expect(image).toMatchObject({ status: 'queued', checksum: null, size: null });
    expect(task).toMatchObject({ status: 'failure' });
    expect(task?.message).toContain(digest('sha512'));
    const { Body } = await s3Of(glimpse).send(new GetObjectCommand({ Bucket: BUCKET, Key: 'brought/image.raw' }));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(BYTES)).toBe(true);
  });

  it('without a hash gets the configured one', async () => {
    const { image } = await brought({});

    expect(image).toMatchObject({ status: 'active', checksum: digest('md5'), os_hash_value: digest('sha512') });
  });
});
