/** What `npm start` finds out about an imported disk, as stock clients see and change it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { imageClient } from '../support/image-client.ts';

let glimpse: Glimpse;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-introspection-'));
  glimpse = await startGlimpse();
});
afterAll(async () => {
  await glimpse?.stop();
  await rm(dir, { recursive: true, force: true });
});

it('a vmdk that is converted keeps its adapter, and clients change what was found', async () => {
  const path = join(dir, 'disk.vmdk');
  const packed = await readFile(new URL('../fixtures/formats/disks/vmdk-sparse-buslogic.vmdk.gz', import.meta.url));
  await writeFile(path, gunzipSync(packed));
  const images = imageClient(glimpse, 'demo');
  const { image } = await images.importFile(path, { disk_format: 'vmdk' });

  expect(image).toMatchObject({
    ...{ status: 'active', disk_format: 'raw', vmware_adaptertype: 'busLogic', hw_disk_bus: 'scsi' },
    ...{ os_glance_source_format: 'vmdk', os_glance_source_adapter_type: 'busLogic' },
  });
  expect(image).not.toHaveProperty('vmware_disktype');

  await glimpse.client('demo', 'openstack', ['image', 'set', '--property', 'hw_disk_bus=virtio', image.id]);
  await glimpse.client('demo', 'openstack', ['image', 'unset', '--property', 'vmware_adaptertype', image.id]);
  await glimpse.client('demo', 'glance', ['image-update', '--property', 'mine=1', image.id]);

  const after = await images.show(image.id);
  expect(after).toMatchObject({ hw_disk_bus: 'virtio', mine: '1', os_glance_source_format: 'vmdk' });
  expect(after).not.toHaveProperty('vmware_adaptertype');
});
