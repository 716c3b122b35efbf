import type { ImportTask } from '../../core/imports/report/import-task.ts';
import type { WebAnswer, WebRest } from '../../core/imports/web.ts';
import { dataKey, stagedPrefix, uploadNoteKey } from '../keys.ts';
import { earlierUpload, newUpload, type OpenUpload, type UploadNote } from '../noted-upload.ts';
import type { WithPlaces } from '../places.ts';
import { type ByteWriter, plainWriter } from '../plain-writer.ts';
import type { Guard } from './step.ts';

/** How a download goes on that was lost with its function: what is stored stays, and the rest of the same version is asked for. */

/** What the parts of a download's upload are cut from. */
type Version = { readonly validator: string; readonly length: number | null };

interface Attempt {
  readonly response: WebAnswer;
  /** Of what the response is written to; parts that stand already are those of an earlier attempt. */
  readonly upload: OpenUpload;
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
  open: (rest?: WebRest) => Promise<WebAnswer>,
): Promise<Attempt> {
  const prefix = stagedPrefix(task.imageId, task.id);
  const place = { at: staging, key: uploadNoteKey(task.id, 'fetch') };
  const earlier = await lostAttempt(place, prefix, guard);
  const response = earlier === undefined ? await open() : await openRest(earlier, open);
  if (earlier !== undefined && response.offset > 0)
    return { response, upload: earlier.upload, writerFor: () => earlier.writer };
  const { validator, length } = response;
  const note = validator === undefined ? undefined : { ...place, of: { validator, length: length ?? null } };
  const upload = newUpload(staging, dataKey(prefix), { note });
  const writerFor: Attempt['writerFor'] = (tap) =>
    plainWriter(staging, prefix, { guard, totalBytes: length, tap, upload });
  return { response, upload, writerFor };
}

interface LostAttempt extends Version {
  readonly upload: OpenUpload;
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
  if (writer.total > 0) return { validator, length, upload, writer };
  await writer.abort();
  return undefined;
}

async function openRest(
  { validator, length, writer }: LostAttempt,
  open: (rest: WebRest) => Promise<WebAnswer>,
): Promise<WebAnswer> {
  const offset = writer.total;
  if (offset === length) return { length, offset, validator, body: NOTHING };
  const response = await open({ offset, validator, length: length ?? undefined });
  if (response.offset !== offset) await writer.abort();
  // Parts of a file whose length was not known were not cut as parts of one are.
  if (length === null && response.offset === offset) return withoutRanges(response);
  return response;
}

const withoutRanges = ({ ranges: _, ...response }: WebAnswer): WebAnswer => response;

const NOTHING: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} };
