/** user_storage_quota over the whole service: an import whose copies would not fit ends with the limit in words. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { imageClient, violations } from '../support/image-client.ts';

let glimpse: Glimpse;
beforeAll(async () => {
  glimpse = await startGlimpse({ config: { user_storage_quota: '1MB', image_import_plugins: [] } });
});
afterAll(() => glimpse?.stop());

it('every copy of an import counts; what fits is stored, what does not leaves nothing behind', async () => {
  const images = imageClient(glimpse, 'demo');
  const staged = async () => {
    const { id } = await images.create({ disk_format: 'raw' });
    expect(await images.put(id, 'stage', randomBytes(600 * 1024))).toBe(204);
    return id;
  };
  const [twice, once] = [await staged(), await staged()];
  const method = { name: 'glance-direct' };

  expect((await images.import(twice, { method, stores: ['central', 'dcn0'] })).status).toBe(202);
  expect((await images.settled(twice)).status).toBe('queued');
  expect((await images.import(once, { method, stores: ['dcn1'] })).status).toBe(202);
  expect((await images.settled(once)).status).toBe('active');

  const [task] = await images.tasks(twice);
  expect(task).toMatchObject({ status: 'failure' });
  expect(task?.message).toContain('user_storage_quota');
  expect(await images.put((await images.create({ disk_format: 'raw' })).id, 'file', randomBytes(600 * 1024))).toBe(413);
  expect(await violations(glimpse)).toEqual([]);
});
