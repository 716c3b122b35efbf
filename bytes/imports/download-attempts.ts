import type { Config } from '../../core/config.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { dataKey, stagedPrefix, uploadNoteKey } from '../keys.ts';
import { earlierUpload, newUpload, type UploadNote } from '../noted-upload.ts';
import type { WithPlaces } from '../places.ts';
import { type ByteWriter, plainWriter } from '../plain-writer.ts';
import type { Guard } from './step.ts';

/** How a download goes on that was lost with its function: what is stored stays, and the rest of the same version is asked for. */

/** A version of a file at a server, and from where on it is wanted. */
interface Rest {
  readonly offset: number;
  /** Names the version to the server. */
  readonly validator: string;
  /** Bytes of the whole file, when the server said. */
  readonly length: number | undefined;
}

/** Opens what a user names; of its `rest` where that can be had, or else all of it. @throws FetchFailed: refused by the filter, unreachable, or an answer that is not all of it */
export type OpenDownload = (
  uri: string,
  filter: Config['import_filtering_opts'],
  signal: AbortSignal,
  rest?: Rest,
) => Promise<{
  /** Bytes of the whole file; undefined when the server does not say. */
  readonly length: number | undefined;
  /** Where the body begins in the file: that of the rest, or 0. */
  readonly offset: number;
  /** Names this version to the server; undefined when nothing does. */
  readonly validator: string | undefined;
  /** @throws FetchFailed when the connection breaks or stalls */
  readonly body: AsyncIterable<Uint8Array>;
}>;

type Response = Awaited<ReturnType<OpenDownload>>;

/** What the parts of a download's upload are cut from. */
type Version = { readonly validator: string; readonly length: number | null };

interface Attempt {
  readonly response: Response;
  /** What the body is written to; `tap` sees all bytes in order when the response is of all of them. */
  writerFor(tap: (bytes: Buffer) => Promise<void>): ByteWriter;
}

/**
 * Opens a download: the rest of the version of which a lost attempt has stored something, or else all of it, and then nothing of before
 * is kept. Where the server names the version, the upload is noted for the next attempt.
 * @throws what `open` throws; BackendUnavailable
 */
export async function openAttempt(
  { places: { staging } }: WithPlaces,
  task: ImportTask,
  guard: Guard,
  open: (rest?: Rest) => Promise<Response>,
): Promise<Attempt> {
  const prefix = stagedPrefix(task.imageId, task.id);
  const place = { at: staging, key: uploadNoteKey(task.id, 'fetch') };
  const earlier = await lostAttempt(place, prefix, guard);
  const response = earlier === undefined ? await open() : await openRest(earlier, open);
  if (earlier !== undefined && response.offset > 0) return { response, writerFor: () => earlier.writer };
  const { validator, length } = response;
  const note = validator === undefined ? undefined : { ...place, of: { validator, length: length ?? null } };
  const upload = newUpload(staging, dataKey(prefix), { note });
  const writerFor: Attempt['writerFor'] = (tap) =>
    plainWriter(staging, prefix, { guard, totalBytes: length, tap, upload });
  return { response, writerFor };
}

interface LostAttempt extends Version {
  /** Goes on behind what is stored, which is something. */
  readonly writer: ByteWriter;
}

async function lostAttempt(
  place: Pick<UploadNote, 'at' | 'key'>,
  prefix: string,
  guard: Guard,
): Promise<LostAttempt | undefined> {
  const upload = await earlierUpload<Version>(place, place.at, dataKey(prefix));
  if (upload === undefined) return undefined;
  const { validator, length } = upload.of;
  const writer = plainWriter(place.at, prefix, { guard, totalBytes: length ?? undefined, upload, goesOn: true });
  if (writer.total > 0) return { validator, length, writer };
  await writer.abort();
  return undefined;
}

async function openRest(
  { validator, length, writer }: LostAttempt,
  open: (rest: Rest) => Promise<Response>,
): Promise<Response> {
  const offset = writer.total;
  if (offset === length) return { length, offset, validator, body: NOTHING };
  const response = await open({ offset, validator, length: length ?? undefined });
  if (response.offset !== offset) await writer.abort();
  return response;
}

const NOTHING: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} };
