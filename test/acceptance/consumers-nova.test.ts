import { describe } from 'vitest';
import { isPresent, testChecks } from './support/consumers.ts';

const present = isPresent(['/usr/lib/python3/dist-packages/nova/image/glance.py'], 'Debian’s python3-nova');

describe.skipIf(!present)('the image layer of Nova, as its services use it', () => {
  testChecks('nova_images.py', [
    'snapshot of a server: a record, then an update with the bytes',
    'snapshot of a volume-backed server: no bytes, and active',
    'ImageMeta of what is shown: properties have the values that Nova takes',
    'ImageMeta of a qcow2 whose properties nobody set',
    'lists: filters by property, status, time and visibility, sorted, in pages',
    'update that purges what it does not name',
    'download: into a file that is open, and to a path',
    'download of an image that has no data is refused as one',
    'locations: an address in a store makes an image, and direct_url and locations are shown to who may see them',
    'an image named by the address of another image service',
    'snapshot by an administrator of another project’s server: shared with its owner',
    'copy of an image to the store of an edge site, and not twice',
    'copy of an image without data is refused as impossible',
    'delete: once, not what is protected, not what belongs to others',
    'refusals become Nova’s own exceptions',
  ]);
});
