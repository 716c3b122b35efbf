/** How far the unpacking of an image is, while it is at work. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { BatchProgress } from '../../../../core/tasks/task.ts';
import { importRig } from '../../../support/memory/imports.ts';

const MIB = 2 ** 20;
const PACKED = gzipSync(Buffer.concat([Buffer.alloc(512), randomBytes(24 * MIB)]), { level: 0 });

test('an archive that is unpacked reports its packed bytes as they are read, and they are part of the work', async () => {
  const rig = importRig({ image_import_plugins: ['image_decompression'] });
  const image = await rig.staged(PACKED, { diskFormat: 'raw' }, { hashed: false });
  const taskId = await rig.task(image, { name: 'glance-direct' });
  const reports: BatchProgress[] = [];
  const { putBatch } = rig.deps.tasks;
  rig.deps.tasks.putBatch = async (batch) => {
    if (batch.phase === 'decompress') reports.push(batch);
    await putBatch(batch);
  };
  // A second for each read, so that each is reported.
  rig.staging.fault = async () => {
    rig.deps.time.nowMs += 1_000;
  };

  const { status } = await rig.run(taskId);

  expect(status).toBe('SUCCEEDED');
  const shares = reports.map(({ bytesDone }) => bytesDone / PACKED.length);
  expect(shares.filter((share) => share > 0.2 && share < 0.9).length).toBeGreaterThan(1);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(reports.at(-1)).toMatchObject({ bytesDone: PACKED.length, bytesTotal: PACKED.length });
  expect((await rig.deps.tasks.get(taskId))?.facts.work).toMatchObject({ decompress: PACKED.length });
});

test('a ramdisk, which is compressed by nature, stays as it is', async () => {
  const rig = importRig({ image_import_plugins: ['image_decompression'] });
  const ramdisk = gzipSync(Buffer.concat([Buffer.from('070701'), Buffer.alloc(506, '0')]));
  const image = await rig.staged(ramdisk, { diskFormat: 'ari' });

  const { status } = await rig.run(await rig.task(image, { name: 'glance-direct' }));

  expect(status).toBe('SUCCEEDED');
  expect(await rig.image(image.id)).toMatchObject({ status: 'active', size: ramdisk.length });
});
