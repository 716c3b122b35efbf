import { randomUUID } from 'node:crypto';
import type { Image, Location } from '../../core/images/image.ts';

/** An image of project `demo` in status queued; any attribute may be given. */
export function anImage(attributes: Partial<Image> = {}): Image {
  return {
    id: randomUUID(),
    name: 'an image',
    status: 'queued',
    visibility: 'shared',
    protected: false,
    hidden: false,
    owner: 'demo',
    diskFormat: null,
    containerFormat: null,
    minRam: 0,
    minDisk: 0,
    size: null,
    virtualSize: null,
    checksum: null,
    hashAlgo: null,
    hashValue: null,
    tags: [],
    properties: {},
    locations: [],
    staged: null,
    lock: null,
    importingTo: null,
    failedImport: null,
    progress: null,
    origin: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    revision: 0,
    ...attributes,
  };
}

export function aLocation(store: string, attributes: Partial<Location> = {}): Location {
  return {
    store,
    writeId: 'write-1',
    layout: 'plain',
    storedBytes: 10,
    url: `s3://${store}/images/x/write-1/data`,
    metadata: {},
    addedAtMs: 1,
    ...attributes,
  };
}
