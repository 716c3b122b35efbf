import type { WithClock } from '../../core/clock.ts';
import type { WithConfig } from '../../core/config.ts';
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
import type { Written } from '../plain-writer.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { announceWork } from './announce-work.ts';
import { type OpenDownload, openAttempt } from './download-attempts.ts';
import type { StepTools } from './step.ts';

export type DownloadDeps = WithConfig &
  WithClock &
  WithImages &
  WithTasks &
  WithSourceUrlReads &
  WithDuties &
  WithLog &
  WithPlaces;

/**
 * web-download: streamed into the staging bucket, hashed on the way where that is of use; length, size cap and lock are watched. It goes
 * on where an earlier attempt was lost, if the server still has that version; what was stored then is hashed by Hash.
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
  const { response, writerFor } = await openAttempt(deps, task, tools.guard, (rest) =>
    openDownload(uri, deps.config.import_filtering_opts, controller.signal, rest),
  );
  const { image_size_cap: cap, hashing_algorithm: algorithm } = deps.config;
  const total = response.length;
  if (total !== undefined) assertWanted(tools, response.offset, total, cap, controller);
  const report = reporter(deps, task, 'fetch', 0, total ?? 0);
  const image = await deps.images.get(task.imageId);
  const isHashed = image !== undefined && response.offset === 0 && !isToBeConverted(deps.config, image);
  const digester = createDigester(isHashed ? ['md5', algorithm] : []);
  const writer = writerFor((bytes) => digester.update(bytes));
  try {
    if (writer.total > 0) await report.add(writer.total);
    for await (const chunk of response.body) {
      if (writer.total + chunk.length > cap) throw tooLarge(writer.total + chunk.length, cap);
      if (writer.total === 0) await announceWork(deps, task, { image, head: chunk, length: total });
      await writer.write(chunk);
      await report.add(chunk.length);
    }
    assertWhole(uri, writer.total, total);
    const written = await writer.finish();
    const { md5, [algorithm]: value } = await digester.digest();
    await report.end();
    const source = sourceOf(stagedPrefix(task.imageId, task.id), written);
    if (md5 === undefined || value === undefined) return { source };
    return { source, sourceDigests: { md5, hash: { algo: algorithm, value } } };
  } catch (error) {
    controller.abort();
    digester.close();
    await writer.abort(error);
    throw error;
  }
}

const sourceOf = (prefix: string, { size, etag }: Written): StoredBytes => ({
  place: 'staging',
  prefix,
  layout: 'plain',
  size,
  ...(etag === undefined ? {} : { etag }),
});

/** What the server announces is judged before a byte is moved; a download that is not wanted is hung up. */
function assertWanted(tools: StepTools, offset: number, total: number, cap: number, controller: AbortController): void {
  try {
    if (total > cap) throw tooLarge(total, cap);
    tools.assertFits('fetch', total - offset);
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
