import type { WithClock } from '../../core/clock.ts';
import type { Config, WithConfig } from '../../core/config.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import { FetchFailed, ImageRefused, LimitExceeded } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import { isToBeConverted } from '../../core/imports/conversion.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { reporter } from '../../core/imports/report/reporter.ts';
import type { WithLog } from '../../core/log.ts';
import { shownUri } from '../../core/shown-url.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import type { WithSourceUrlReads } from '../../core/tasks/source-urls.ts';
import type { ImportFacts } from '../../core/tasks/task.ts';
import { createDigester } from '../../formats/node/digest/digest.ts';
import { stagedPrefix } from '../keys.ts';
import type { WithPlaces } from '../places.ts';
import { plainWriter } from '../plain-writer.ts';
import { announceWork } from './announce-work.ts';
import type { StepTools } from './step.ts';

/** Opens what a user names. @throws FetchFailed: refused by the filter, unreachable, or any status but 200 */
export type OpenDownload = (
  uri: string,
  filter: Config['import_filtering_opts'],
  signal: AbortSignal,
) => Promise<{
  /** Bytes; undefined when the server does not say. */
  readonly length: number | undefined;
  /** @throws FetchFailed when the connection breaks or stalls */
  readonly body: AsyncIterable<Uint8Array>;
}>;

export type DownloadDeps = WithConfig &
  WithClock &
  WithImages &
  WithTasks &
  WithSourceUrlReads &
  WithDuties &
  WithLog &
  WithPlaces;

/**
 * web-download: streamed into the staging bucket, hashed on the way where that is of use; length, size cap and lock are watched.
 * @throws FetchFailed, ImageRefused (empty), LimitExceeded (image_size_cap), StepTooLong, BackendUnavailable; what `guard` throws
 */
export async function download(
  deps: DownloadDeps,
  task: ImportTask,
  uri: string,
  tools: StepTools,
  openDownload: OpenDownload,
): Promise<Pick<ImportFacts, 'source' | 'sourceDigests'>> {
  const controller = new AbortController();
  const response = await openDownload(uri, deps.config.import_filtering_opts, controller.signal);
  const { image_size_cap: cap, hashing_algorithm: algorithm } = deps.config;
  const total = response.length;
  if (total !== undefined) assertWanted(tools, total, cap, controller);
  const report = reporter(deps, task, 'fetch', 0, total ?? 0);
  const image = await deps.images.get(task.imageId);
  const isHashed = image !== undefined && !isToBeConverted(deps.config, image);
  const digester = createDigester(isHashed ? ['md5', algorithm] : []);
  const prefix = stagedPrefix(task.imageId, task.id);
  const writer = plainWriter(deps.places.staging, prefix, {
    guard: tools.guard,
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
}

/** What the server announces is judged before a byte is moved; a download that is not wanted is hung up. */
function assertWanted(tools: StepTools, total: number, cap: number, controller: AbortController): void {
  try {
    if (total > cap) throw tooLarge(total, cap);
    tools.assertFits('fetch', total);
  } catch (error) {
    controller.abort();
    throw error;
  }
}

function assertWhole(uri: string, came: number, total: number | undefined): void {
  if (total !== undefined && came !== total)
    throw new FetchFailed(`${shownUri(uri)}: ${came} bytes came, Content-Length said ${total}`);
  if (came === 0) throw new ImageRefused(`${shownUri(uri)}: the response is empty`);
}

const tooLarge = (bytes: number, cap: number): LimitExceeded =>
  new LimitExceeded(`The image has ${bytes} bytes, image_size_cap is ${cap}`);
