import { describe } from 'vitest';
import { isPresent, testChecks } from './support/consumers.ts';

const present = isPresent(['/usr/lib/python3/dist-packages/cinder/image/glance.py'], 'Debian’s python3-cinder');

describe.skipIf(!present)('the image layer of Cinder, as its services use it', () => {
  testChecks('cinder_images.py', [
    'upload of a volume as it is',
    'upload of a volume as qcow2, which qemu-img of Cinder makes',
    'upload of a volume into the store of its type',
    'upload of a volume beside the image that it came from',
    'volume from a raw image',
    'volume from a qcow2, which Cinder converts',
    'download into a file, and as chunks',
    'image by the location of a volume’s bytes; direct_url and locations are shown',
    'lists: filters, sorted, in pages',
    'members of a shared image',
    'update that purges what it does not name',
    'an image named by the address of another image service',
    'what a volume keeps of its image is what may be set on the next one',
    'delete: once, and not what is protected',
    'refusals become Cinder’s own exceptions',
  ]);
});
