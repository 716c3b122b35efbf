/**
 * Fills the catalogue for bench/api.ts: `node bench/fill.ts --images 100000 [--table glimpse] [--owners 50]`.
 *
 * Batch writes straight to the table at AWS_ENDPOINT_URL, with the product's own item form, so that 100,000 images take a minute
 * and not an hour. One image in `--owners` belongs to the project of OS_*, each other one to one of as many strangers; one in ten is
 * public. Ids and names follow from the number of the image: filling again replaces, it does not add.
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { putAll } from '../aws/dynamodb/batch-write.ts';
import { itemOf } from '../aws/dynamodb/image-item.ts';
import { tableOf } from '../aws/dynamodb/table.ts';
import type { Image } from '../core/images/image.ts';
import { TABLE } from '../workflows/topology.ts';
import { login, ownProject } from './openstack.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1000' },
    table: { type: 'string', default: TABLE.name },
    owners: { type: 'string', default: '50' },
  },
});
const images = Number(values.images);
const owners = Number(values.owners);
/** Items handed over at once: what is waiting stays small. */
const CHUNK = 2_500;
const SHARDS = 1;

function uuid(text: string): string {
  const hex = createHash('md5').update(text).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
}

/** What `openstack image show` of an ordinary image shows. */
function image(n: number, project: string): Image {
  const at = new Date(Date.parse('2026-01-01T00:00:00Z') + n * 1000).toISOString();
  const id = uuid(`bench-${n}`);
  const owner = n % owners === 0 ? project : uuid(`owner-${n % owners}`).replaceAll('-', '');
  const size = 1024 * 1024 * (1 + (n % 512));
  return {
    id,
    name: `bench-${String(n).padStart(7, '0')}`,
    status: 'active',
    visibility: n % 10 === 0 ? 'public' : n % 10 === 1 ? 'private' : 'shared',
    protected: false,
    hidden: false,
    owner,
    diskFormat: 'qcow2',
    containerFormat: 'bare',
    minRam: 512,
    minDisk: 10,
    size,
    virtualSize: size * 4,
    checksum: createHash('md5').update(id).digest('hex'),
    hashAlgo: 'sha512',
    hashValue: createHash('sha512').update(id).digest('hex'),
    tags: [`tag-${n % 7}`],
    properties: { os_distro: 'debian', os_version: '13', hw_disk_bus: 'virtio', architecture: 'x86_64' },
    locations: [
      {
        store: 'central',
        writeId: uuid(`write-${n}`),
        layout: 'plain',
        storedBytes: size,
        url: `s3://glimpse-store-central/images/${id}/${uuid(`write-${n}`)}/data`,
        metadata: {},
        addedAtMs: Date.parse(at),
      },
    ],
    staged: null,
    lock: null,
    importingTo: null,
    failedImport: null,
    progress: null,
    origin: null,
    createdAt: at,
    updatedAt: at,
    revision: 1,
  };
}

const project = await ownProject(await login(process.env));
const table = tableOf(new DynamoDBClient({}), values.table);
const begun = performance.now();
for (let from = 0; from < images; from += CHUNK) {
  const numbers = Array.from({ length: Math.min(CHUNK, images - from) }, (_, n) => from + n);
  await putAll(
    table,
    numbers.map((n) => itemOf(image(n, project), SHARDS)),
  );
}
console.log(`${images} images in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
