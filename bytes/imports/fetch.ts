import type { WithConfig } from '../../core/config.ts';
import { FetchFailed, NotFound } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import { storedBytesOf } from '../../core/images/stored-bytes.ts';
import { stagedSource } from '../../core/imports/leftovers.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import type { Web } from '../../core/imports/web.ts';
import type { WithSourceSecretReads } from '../../core/tasks/source-secrets.ts';
import type { ImportFacts, ImportMethod } from '../../core/tasks/task.ts';
import { copyStored } from '../copy.ts';
import { dataKey, stagedPrefix, uploadNoteKey } from '../keys.ts';
import type { WithPlaces } from '../places.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { type DownloadDeps, download } from './download.ts';
import { glanceDownload } from './glance-download.ts';
import type { Guard, StepTools } from './step.ts';

type Fetched = Pick<ImportFacts, 'source' | 'sourceDigests'>;
type FetchDeps = DownloadDeps & WithSourceSecretReads;
type Method<N extends ImportMethod['name']> = Extract<ImportMethod, { readonly name: N }>;

/**
 * Fetch: the bytes to import are in a store of ours, and their place, size and, where cheap, digests are on the task. Once they are,
 * there is nothing to do.
 * @throws FetchFailed, ImageRefused, LimitExceeded, StepTooLong, BackendUnavailable; what `guard` throws
 */
export async function fetchSource(deps: FetchDeps, task: ImportTask, tools: StepTools, web: Web): Promise<void> {
  const { method } = task.import;
  if (task.facts.source === undefined) await deps.tasks.note(task.id, await fetchBy(deps, task, tools, web));
  // Only now: what is recorded has a copy of its own.
  if (method.name === 'drop') await removeDropped(deps, method);
}

async function fetchBy(deps: FetchDeps, task: ImportTask, tools: StepTools, web: Web): Promise<Fetched> {
  const { method } = task.import;
  switch (method.name) {
    case 'glance-direct':
      return staged(deps, task);
    case 'web-download':
      return download(deps, task, { source: { uri: await wholeUrl(deps, task.id, method) } }, tools, web);
    case 'glance-download':
      return glanceDownload(deps, task, method, tools, web);
    case 'copy-image':
      return heldCopy(deps, task);
    case 'drop':
      return dropped(deps, task, method, tools.guard);
    case 'location':
      throw new FetchFailed('A location is not fetched');
  }
}

/** The version that was taken: another file may have been dropped under the same name since. */
async function removeDropped({ places: { staging } }: WithPlaces, { key, etag }: Method<'drop'>): Promise<void> {
  try {
    if ((await staging.headObject(key)).etag === etag) await staging.removeObject(key);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error; // removed by an earlier attempt
  }
}

async function wholeUrl(deps: WithSourceSecretReads, taskId: string, method: Method<'web-download'>): Promise<string> {
  if (method.isShortened !== true) return method.uri;
  const url = await deps.sourceSecretReads.of(method.keptUnder ?? taskId);
  if (url === undefined) throw new FetchFailed(`The whole URL of ${method.uri} is gone`);
  return url;
}

/** glance-direct: PUT stage left the bytes in the staging bucket, with digests. */
async function staged(deps: WithImages, task: ImportTask): Promise<Fetched> {
  const image = await deps.images.get(task.imageId);
  if (image === undefined || image.staged === null) throw new FetchFailed(`Image ${task.imageId} has no staged data`);
  const { md5, hash } = image.staged;
  const source = stagedSource(task.imageId, image.staged);
  return md5 === undefined || hash === undefined ? { source } : { source, sourceDigests: { md5, hash } };
}

/** copy-image: any copy the image has; default store first, then by weight. */
async function heldCopy(deps: WithConfig & WithImages, task: ImportTask): Promise<Fetched> {
  const image = await deps.images.get(task.imageId);
  const held = image?.locations.filter((location) => location.writeId !== task.id) ?? [];
  const order = deps.config.stores
    .toSorted((a, b) => Number(b.default) - Number(a.default) || b.weight - a.weight)
    .map((store) => store.id);
  const best = held.toSorted((a, b) => order.indexOf(a.store) - order.indexOf(b.store))[0];
  const source = best === undefined || image === undefined ? undefined : storedBytesOf(deps.config, image, best);
  if (source === undefined) throw new FetchFailed(`No store holds image ${task.imageId}`);
  return { source };
}

/** Bucket drop-in: the dropped version of the object becomes staged data, server-side; the drop goes once that is recorded. */
async function dropped(deps: WithPlaces, task: ImportTask, drop: Method<'drop'>, guard: Guard): Promise<Fetched> {
  const { staging } = deps.places;
  const prefix = stagedPrefix(task.imageId, task.id);
  const { key, size: expected, etag: version } = drop;
  const from: StoredBytes = { place: 'staging', prefix: '', key, layout: 'plain', size: expected, etag: version };
  await copyStored(deps.places, from, staging, prefix, { guard, noteKey: uploadNoteKey(task.id, 'fetch') });
  const { etag, size } = await staging.headObject(dataKey(prefix));
  return { source: { place: 'staging', prefix, layout: 'plain', size, etag } };
}
