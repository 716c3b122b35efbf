/** What an import leaves when it ends, well or badly. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Image } from '../../../core/images/image.ts';
import type { ImportRig } from './imports.ts';

export const hex = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex');

/** Nothing of the import is left where nothing may be: staging is empty, no upload is open. */
export function expectClean({ staging, stores }: ImportRig): void {
  expect([...staging.objects.keys()]).toEqual([]);
  for (const store of [staging, ...Object.values(stores)]) expect(store.unfinished()).toEqual([]);
}

/** The image is what a good import leaves: its bytes are in these stores, and it says their hashes. */
export async function expectImported(
  rig: ImportRig,
  id: string,
  bytes: Uint8Array,
  stores = ['central'],
): Promise<Image> {
  const image = await rig.image(id);
  const hash = { hashAlgo: 'sha512', hashValue: hex('sha512', bytes) };
  expect(image).toMatchObject({ status: 'active', size: bytes.length, checksum: hex('md5', bytes), ...hash });
  expect(image).toMatchObject({ lock: null, staged: null, progress: null });
  expect(image.importingTo ?? []).toEqual([]);
  expect(image.locations.map(({ store }) => store).toSorted()).toEqual(stores.toSorted());
  for (const location of image.locations) expect((await rig.read(image, location)).equals(bytes)).toBe(true);
  return image;
}

/** The image is as before the import, the task names the cause, and no byte of it is anywhere. */
export async function expectReverted(
  rig: ImportRig,
  image: Image,
  taskId: string,
  cause: string | RegExp,
): Promise<void> {
  expect(await rig.image(image.id)).toMatchObject({
    status: 'queued',
    size: null,
    checksum: null,
    locations: [],
    lock: null,
  });
  expect(await rig.deps.tasks.get(taskId)).toMatchObject({ status: 'failure', message: expect.stringMatching(cause) });
  for (const store of Object.values(rig.stores)) expect([...store.objects.keys()]).toEqual([]);
  expectClean(rig);
}
