import type { WithClock } from '../../core/clock.ts';
import type { WithConfig } from '../../core/config.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import { FetchFailed, LimitExceeded } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import { isToBeConverted } from '../../core/imports/conversion.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { reporter } from '../../core/imports/report/reporter.ts';
import type { Web, WebAnswer, WebSource } from '../../core/imports/web.ts';
import type { WithLog } from '../../core/log.ts';
import { shownUri } from '../../core/shown-url.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import type { ImportFacts } from '../../core/tasks/task.ts';
import { createDigester } from '../../formats/node/digest/digest.ts';
import { stagedPrefix } from '../keys.ts';
import type { WithPlaces } from '../places.ts';
import type { Written } from '../plain-writer.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { announceWork } from './announce-work.ts';
import { openAttempt } from './download-attempts.ts';
import { inRanges, type RangedDownload, rangesOf } from './in-ranges.ts';
import type { StepTools } from './step.ts';

export type DownloadDeps = WithConfig & WithClock & WithImages & WithTasks & WithDuties & WithLog & WithPlaces;

export interface WantedFile {
  readonly source: WebSource;
  /** Bytes it must have, where somebody else said so than its server. */
  readonly size?: number;
}

type Downloaded = Pick<ImportFacts, 'source' | 'sourceDigests'>;

/**
 * Streamed into the staging bucket, over several connections where the server gives parts, hashed on the way where that is of use;
 * length, size cap and lock are watched. It goes on where an earlier attempt was lost, if the server still has that version; what was
 * stored then is hashed by Hash. Where the connections of a server come to nothing together, one alone goes on with what they brought.
 * @throws FetchFailed, LimitExceeded (image_size_cap), StepTooLong, BackendUnavailable; what `guard` throws
 */
export async function download(
  deps: DownloadDeps,
  task: ImportTask,
  file: WantedFile,
  tools: StepTools,
  web: Web,
): Promise<Downloaded> {
  try {
    return await attempt(deps, task, file, tools, web, true);
  } catch (error) {
    if (!(error instanceof PartsFailed)) throw error;
    deps.log.info('parts of a download failed, one connection goes on', { task: task.id, cause: error.message });
    return attempt(deps, task, file, tools, web, false);
  }
}

/** Several connections did not do; what they stored is noted. */
class PartsFailed extends FetchFailed {}

async function attempt(
  deps: DownloadDeps,
  task: ImportTask,
  { source, size }: WantedFile,
  tools: StepTools,
  web: Web,
  maySplit: boolean,
): Promise<Downloaded> {
  const controller = new AbortController();
  try {
    const opened = await openAttempt(deps, task, tools.guard, (rest) => web.open(source, controller.signal, rest));
    const { response } = opened;
    const { image_size_cap: cap, hashing_algorithm: algorithm } = deps.config;
    const total = wantedLength(source, response, size);
    if (total !== undefined) assertWanted(tools, response.offset, total, cap);
    const report = reporter(deps, task, 'fetch', 0, total ?? 0);
    const image = await deps.images.get(task.imageId);
    const isHashed = image !== undefined && response.offset === 0 && !isToBeConverted(deps.config, image);
    const digester = createDigester(isHashed ? ['md5', algorithm] : []);
    const onBytes: Received['onBytes'] = async (bytes, at, chunk) => {
      if (at === 0 && chunk !== undefined) await announceWork(deps, task, { image, head: chunk, length: total });
      await report.add(bytes);
    };
    const received = { ...opened, total, cap, tap: (bytes: Buffer) => digester.update(bytes), onBytes };
    try {
      if (response.offset > 0) await report.add(response.offset);
      const written = await (maySplit && rangesOf(deps.places.staging, response).lanes > 1
        ? overSeveral(deps, received, tools, () => controller.abort())
        : overOne(source, received));
      const { md5, [algorithm]: value } = await digester.digest();
      await report.end();
      const fetched = sourceOf(stagedPrefix(task.imageId, task.id), written);
      if (md5 === undefined || value === undefined) return { source: fetched };
      return { source: fetched, sourceDigests: { md5, hash: { algo: algorithm, value } } };
    } catch (error) {
      digester.close();
      throw error;
    }
  } finally {
    controller.abort();
  }
}

type Opened = Awaited<ReturnType<typeof openAttempt>>;
/** An answer on its way into the staging bucket. */
type Received = Opened &
  Pick<RangedDownload, 'tap' | 'onBytes'> & { readonly total: number | undefined; readonly cap: number };
type Stored = Pick<Written, 'size' | 'etag'>;

async function overOne(
  source: WebSource,
  { response, writerFor, total, cap, tap, onBytes }: Received,
): Promise<Stored> {
  const writer = writerFor(tap);
  try {
    for await (const chunk of response.body) {
      const at = writer.total;
      if (at + chunk.length > cap) throw tooLarge(at + chunk.length, cap);
      await writer.write(chunk);
      await onBytes(chunk.length, at, chunk);
    }
    assertWhole(source, writer.total, total);
    return await writer.finish();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}

/** @throws PartsFailed when the server is at fault */
async function overSeveral(
  { places: { staging } }: WithPlaces,
  { response, upload, tap, onBytes }: Received,
  { guard }: StepTools,
  hangUp: () => void,
): Promise<Stored> {
  const { length = 0, ranges } = response;
  if (ranges === undefined) throw new PartsFailed('The server gives no parts');
  try {
    return {
      size: length,
      etag: await inRanges({
        to: staging,
        upload,
        response: { ...response, ranges },
        length,
        guard,
        tap,
        onBytes,
        hangUp,
      }),
    };
  } catch (error) {
    if (error instanceof FetchFailed) throw new PartsFailed(error.message, { cause: error });
    await upload.giveUp(error);
    throw error;
  }
}

const sourceOf = (prefix: string, { size, etag }: Stored): StoredBytes => ({
  place: 'staging',
  prefix,
  layout: 'plain',
  size,
  ...(etag === undefined ? {} : { etag }),
});

/** What the server says of the file's length has to be what is known of it. */
function wantedLength({ uri }: WebSource, { length }: WebAnswer, known: number | undefined): number | undefined {
  if (length !== undefined && known !== undefined && length !== known)
    throw new FetchFailed(`${shownUri(uri)}: Content-Length says ${length} bytes, the image has ${known}`);
  return length ?? known;
}

/** What the server announces is judged before a byte is moved; a download that is not wanted is hung up. */
function assertWanted(tools: StepTools, offset: number, total: number, cap: number): void {
  if (total > cap) throw tooLarge(total, cap);
  tools.assertFits('fetch', total - offset);
}

function assertWhole({ uri }: WebSource, came: number, total: number | undefined): void {
  if (total !== undefined && came !== total)
    throw new FetchFailed(`${shownUri(uri)}: ${came} bytes came, Content-Length said ${total}`);
}

const tooLarge = (bytes: number, cap: number): LimitExceeded =>
  new LimitExceeded(`The image has ${bytes} bytes, image_size_cap is ${cap}`);
