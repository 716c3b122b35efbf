import { copyStored } from '../../bytes/copy.ts';
import { dataKey, stagedPrefix } from '../../bytes/keys.ts';
import { plainWriter } from '../../bytes/plain-writer.ts';
import type { StoredBytes } from '../../bytes/stored-bytes.ts';
import { FetchFailed, ImageRefused, LimitExceeded } from '../../core/errors.ts';
import { storedBytesOf } from '../../core/images/stored-bytes.ts';
import { isToBeConverted } from '../../core/imports/conversion.ts';
import { type ImportTask, reporter } from '../../core/imports/report.ts';
import type { ImportFacts, ImportMethod } from '../../core/tasks/task.ts';
import { createDigester } from '../../formats/node/digest/digest.ts';
import type { ServiceDeps } from '../../service/deps.ts';
import { openDownload } from '../../web/download.ts';
import { announceWork } from './announce-work.ts';
import { byteStep } from './step.ts';
import { assertFits } from './too-long.ts';

type Fetched = Pick<ImportFacts, 'source' | 'sourceDigests'>;
type Guard = () => Promise<void>;
type Fetch<M extends ImportMethod> = (deps: ServiceDeps, task: ImportTask, method: M, guard: Guard) => Promise<Fetched>;

/** Fetch: the bytes to import are in a bucket of ours, and their place, size and, where cheap, digests are on the task. */
export const handler = byteStep(async (deps, task, _event, guard) => {
  if (task.facts.source !== undefined) return;
  const fetched = await fetchBy(deps, task, guard);
  await deps.tasks.note(task.id, fetched);
  const { method } = task.import;
  if (method.name === 'drop') await deps.places.staging.removeObject(method.key);
});

function fetchBy(deps: ServiceDeps, task: ImportTask, guard: Guard): Promise<Fetched> {
  const { method } = task.import;
  switch (method.name) {
    case 'glance-direct':
      return staged(deps, task, method, guard);
    case 'web-download':
      return download(deps, task, method, guard);
    case 'copy-image':
      return storeCopy(deps, task, method, guard);
    case 'drop':
      return dropped(deps, task, method, guard);
    case 'location':
      throw new FetchFailed('A location is not fetched');
  }
}

/** glance-direct: PUT stage left the bytes in the staging bucket, with digests. */
const staged: Fetch<{ name: 'glance-direct' }> = async (deps, task) => {
  const image = await deps.images.get(task.imageId);
  if (image === undefined || image.staged === null) throw new FetchFailed(`Image ${task.imageId} has no staged data`);
  const { writeId, layout, size, md5, hash } = image.staged;
  const source: StoredBytes = { place: 'staging', prefix: stagedPrefix(task.imageId, writeId), layout, size };
  return md5 === undefined || hash === undefined ? { source } : { source, sourceDigests: { md5, hash } };
};

/** copy-image: any copy the image has; default store first, then by weight. */
const storeCopy: Fetch<{ name: 'copy-image' }> = async (deps, task) => {
  const image = await deps.images.get(task.imageId);
  const held = image?.locations.filter((location) => location.writeId !== task.id) ?? [];
  const order = deps.config.stores
    .toSorted((a, b) => Number(b.default) - Number(a.default) || b.weight - a.weight)
    .map((store) => store.id);
  const best = held.toSorted((a, b) => order.indexOf(a.store) - order.indexOf(b.store))[0];
  const source = best === undefined || image === undefined ? undefined : storedBytesOf(deps.config, image, best);
  if (source === undefined) throw new FetchFailed(`No store holds image ${task.imageId}`);
  return { source };
};

/** Bucket drop-in: the dropped version of the object becomes staged data, server-side; the drop goes once that is recorded. */
const dropped: Fetch<Extract<ImportMethod, { name: 'drop' }>> = async (deps, task, method, guard) => {
  const prefix = stagedPrefix(task.imageId, task.id);
  const from: StoredBytes = {
    place: 'staging',
    prefix: '',
    key: method.key,
    layout: 'plain',
    size: method.size,
    etag: method.etag,
  };
  await copyStored(deps.places, from, deps.places.staging, prefix, { guard });
  const { etag, size } = await deps.places.staging.headObject(dataKey(prefix));
  return { source: { place: 'staging', prefix, layout: 'plain', size, etag } };
};

/** web-download: streamed into the staging bucket, hashed on the way where that is of use; length, size cap and lock are watched. */
const download: Fetch<Extract<ImportMethod, { name: 'web-download' }>> = async (deps, task, { uri }, guard) => {
  const controller = new AbortController();
  const response = await openDownload(uri, deps.config.import_filtering_opts, controller.signal);
  const { image_size_cap: cap, hashing_algorithm: algorithm } = deps.config;
  const total = response.length;
  if (total !== undefined) assertWanted(total, cap, controller);
  const report = reporter(deps, task, 'fetch', 0, total ?? 0);
  const image = await deps.images.get(task.imageId);
  const isHashed = image !== undefined && !isToBeConverted(deps.config, image);
  const digester = createDigester(isHashed ? ['md5', algorithm] : []);
  const prefix = stagedPrefix(task.imageId, task.id);
  const writer = plainWriter(deps.places.staging, prefix, {
    guard,
    totalBytes: total,
    tap: (bytes) => digester.update(bytes),
  });
  try {
    for await (const chunk of response.body) {
      if (writer.total + chunk.length > cap) throw tooLarge(writer.total + chunk.length, cap);
      if (writer.total === 0) await announceWork(deps, task, { image, head: chunk, length: total });
      await writer.write(chunk);
      await report.add(chunk.length);
    }
    assertWhole(uri, writer.total, total);
    const { size, etag } = await writer.finish();
    const { md5, [algorithm]: value } = await digester.digest();
    await report.end();
    return {
      source: { place: 'staging', prefix, layout: 'plain', size, ...(etag === undefined ? {} : { etag }) },
      ...(md5 === undefined || value === undefined ? {} : { sourceDigests: { md5, hash: { algo: algorithm, value } } }),
    };
  } catch (error) {
    controller.abort();
    digester.close();
    await writer.abort();
    throw error;
  }
};

/** What the server announces is judged before a byte is moved; a download that is not wanted is hung up. */
function assertWanted(total: number, cap: number, controller: AbortController): void {
  try {
    if (total > cap) throw tooLarge(total, cap);
    assertFits('fetch', total);
  } catch (error) {
    controller.abort();
    throw error;
  }
}

function assertWhole(uri: string, came: number, total: number | undefined): void {
  if (total !== undefined && came !== total)
    throw new FetchFailed(`${uri}: ${came} bytes came, Content-Length said ${total}`);
  if (came === 0) throw new ImageRefused(`${uri}: the response is empty`);
}

const tooLarge = (bytes: number, cap: number): LimitExceeded =>
  new LimitExceeded(`The image has ${bytes} bytes, image_size_cap is ${cap}`);
