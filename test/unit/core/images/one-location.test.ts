/** Two images whose bytes are one object that a service brought: they share it, and neither owns it. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { deleteImage } from '../../../../core/images/delete.ts';
import { addLocation } from '../../../../core/imports/add-location.ts';
import { janitor } from '../../../../core/janitor/janitor.ts';
import { callerWith } from '../../../support/caller.ts';
import { anImage } from '../../../support/images.ts';
import { importRig } from '../../../support/memory/imports.ts';

const BYTES = Buffer.alloc(4096, 3);
const KEY = 'of-a-client/disk.raw';
const URL = `s3://central/${KEY}`;
const SERVICE = callerWith({ roles: ['service', 'admin'], serviceRoles: ['service'], isAdmin: true });

test('two images at one location are both active with its hashes, and count twice; deleting one leaves bytes and other image', async () => {
  const rig = importRig({ user_storage_quota: '1MB' });
  const { deps, stores } = rig;
  await stores.central.putObject(KEY, BYTES);
  const images = ['first', 'second'].map((name) =>
    anImage({ name, owner: 'demo', diskFormat: 'raw', containerFormat: 'bare' }),
  );
  for (const image of images) {
    await deps.images.create(image);
    await addLocation(deps, SERVICE, image.id, { url: URL });
  }
  for (const taskId of deps.started) await rig.run(taskId);
  const checksum = createHash('md5').update(BYTES).digest('hex');
  const [first, second] = await Promise.all(images.map(({ id }) => rig.image(id)));
  for (const image of [first, second]) expect(image).toMatchObject({ status: 'active', checksum, size: BYTES.length });
  expect((await deps.imageList.usageOf('demo')).storedBytes).toBe(2 * BYTES.length);

  await deleteImage(deps, SERVICE, first?.id ?? '');
  deps.time.nowMs += 3_600_000;
  await janitor(deps);

  expect(stores.central.objects.has(KEY)).toBe(true);
  const [location] = (second && (await rig.image(second.id)).locations) ?? [];
  expect(second && location && (await rig.read(second, location))).toEqual(BYTES);
});
