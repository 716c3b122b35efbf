/** kill -9 of the parent, of each child and of all, in the middle of an upload, a conversion and the copies; then a restart. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Disk, ext4Disk, md5Of, qemuImage } from '../support/disks.ts';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { imageClient, violations, type WireImage } from '../support/image-client.ts';
import { strike, VICTIMS } from '../support/strike.ts';

let dir: string;
let disk: Disk;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-crash-'));
  disk = await qemuImage(await ext4Disk(dir, 'guest', 768, 224), join(dir, 'guest.qcow2'), 'qcow2', ['-c']);
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe.each(VICTIMS)('kill -9 of %s', (victim) => {
  it.each(['conversion', 'copies', 'hash'] as const)('in the middle of %s', async (moment) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'glimpse-crash-data-'));
    let glimpse = await startGlimpse({ dataDir });
    try {
      const demo = imageClient(glimpse, 'demo');
      const { id } = await demo.create();
      expect(await demo.put(id, 'stage', disk.path)).toBe(204);
      if (moment === 'copies') await slowCopies(glimpse);
      expect((await demo.import(id, { method: { name: 'glance-direct' }, all_stores: true })).status).toBe(202);
      await reach(() => demo.show(id), moment);
      glimpse = await strike(glimpse, victim, { dataDir });

      const image = await imageClient(glimpse, 'demo').settled(id);
      await expectWholeOrClean(glimpse, image);
    } finally {
      await glimpse.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    }
  });

  it('in the middle of an upload', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'glimpse-crash-data-'));
    let glimpse = await startGlimpse({ dataDir });
    try {
      const demo = imageClient(glimpse, 'demo');
      const { id } = await demo.create({ disk_format: 'raw' });
      const upload = demo.put(id, 'file', disk.rawPath).catch(() => 'broken');
      await expect.poll(async () => (await demo.show(id)).status, { timeout: 10_000, interval: 20 }).toBe('saving');
      glimpse = await strike(glimpse, victim, { dataDir });
      await upload;

      const image = await imageClient(glimpse, 'demo').settled(id);
      await expectWholeOrClean(glimpse, image);
    } finally {
      await glimpse.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    }
  });
});

/** Either the image is active and every byte is right, or it is queued with its reason; in both cases nothing is left over. */
async function expectWholeOrClean(glimpse: Glimpse, image: WireImage): Promise<void> {
  expect(['active', 'queued']).toContain(image.status);
  if (image.status === 'active') {
    expect(image['checksum']).toBe(await md5Of(disk.rawPath));
    const response = await glimpse.api('demo', 'GET', `/v2/images/${image.id}/file`);
    expect(Buffer.from(await response.arrayBuffer()).equals(await readFile(disk.rawPath))).toBe(true);
  } else {
    expect(image).toMatchObject({ size: null, checksum: null });
    const tasks = await imageClient(glimpse, 'demo').tasks(image.id);
    for (const task of tasks)
      expect(task).toMatchObject({ status: 'failure', message: expect.stringMatching(/\w/) as string });
  }
  await expect.poll(() => violations(glimpse), { timeout: 60_000, interval: 1000 }).toEqual([]);
}

async function reach(show: () => Promise<WireImage>, moment: 'conversion' | 'copies' | 'hash'): Promise<void> {
  const phase = { conversion: 'render', copies: 'render', hash: 'hash' }[moment];
  const percent = { conversion: 0, copies: 10, hash: 0 }[moment];
  await expect
    .poll(
      async () => {
        const image = await show();
        if (image['os_glance_import_task'] === undefined) return 'over';
        const beyond = moment === 'copies' && image['os_glance_import_phase'] === 'hash';
        return beyond ||
          (image['os_glance_import_phase'] === phase && Number(image['os_glance_import_percent']) >= percent)
          ? 'there'
          : 'waiting';
      },
      { timeout: 30_000, interval: 20 },
    )
    .toBe('there');
}

/** Makes one store refuse for a while, so that copies are retried and take seconds. */
async function slowCopies(glimpse: Glimpse): Promise<void> {
  await fetch(`${glimpse.awsEndpoint}/_glimpse/s3/faults/glimpse-store-dcn0`, {
    method: 'PUT',
    body: JSON.stringify({ status: 503, code: 'ServiceUnavailable', methods: ['PUT', 'POST'], count: 6 }),
  });
}
