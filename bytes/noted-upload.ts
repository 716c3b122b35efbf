import { isDeepStrictEqual } from 'node:util';
import { ImageServiceError, NotFound } from '../core/errors.ts';
import { FormatError } from '../formats/engine/errors.ts';
import { getJson, putJson } from './json-object.ts';
import type { Metadata, Multipart, Store } from './store.ts';

/**
 * An upload in parts that the next attempt of the same work goes on with. S3 shows of an unfinished upload neither bytes nor metadata:
 * what its parts are cut from is noted in a small object beside the plan of the import, before the first part is sent.
 */
export interface UploadNote<Of extends PartsOf = PartsOf> {
  /** The staging bucket, and a key that no other upload has. */
  readonly at: Store;
  readonly key: string;
  readonly of: Of;
}

/** All that the bytes of the parts follow from: parts of anything else are of no use. */
export type PartsOf = Readonly<Record<string, string | number | null>>;

export interface OpenUpload {
  readonly multipart: Multipart;
  /** Bytes of the parts that an earlier attempt stored, numbered from 0. */
  readonly parts: ReadonlyMap<number, number>;
  /** The work has failed: removes what was stored, but for what is noted and another attempt may finish. Never throws. */
  giveUp(error: unknown): Promise<void>;
}

interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  readonly metadata?: Metadata | undefined;
}

/** What an earlier attempt noted and did not finish. @throws BackendUnavailable */
export async function earlierUpload<Of extends PartsOf>(
  { at, key: noteKey }: Pick<UploadNote, 'at' | 'key'>,
  to: Store,
  key: string,
  signal?: AbortSignal,
): Promise<(OpenUpload & Pick<UploadNote<Of>, 'of'>) | undefined> {
  const noted = await readNote<Of>(at, noteKey);
  const resumed = noted && (await to.resumeMultipart(key, noted.uploadId, signal));
  if (noted === undefined || resumed === undefined) return undefined;
  return { ...resumed, of: noted.of, giveUp: (error) => giveUp(resumed.multipart, error) };
}

/** An upload that begins with its first part, noted where a later attempt may want it. */
export function newUpload(
  to: Store,
  key: string,
  { note, signal, metadata }: OpenOptions & { readonly note?: UploadNote | undefined } = {},
): OpenUpload {
  const multipart = to.multipart(key, signal, metadata);
  const parts = new Map<number, number>();
  if (note === undefined) return { multipart, parts, giveUp: () => multipart.abort() };
  return { multipart: noting(multipart, note), parts, giveUp: (error) => giveUp(multipart, error) };
}

/** The upload that an earlier attempt noted, or else a new one. @throws BackendUnavailable */
export async function openUpload(
  to: Store,
  key: string,
  options: OpenOptions & { readonly note?: UploadNote | undefined } = {},
): Promise<OpenUpload> {
  const { note, signal } = options;
  const earlier = note && (await earlierUpload(note, to, key, signal));
  if (isDeepStrictEqual(earlier?.of, note?.of)) return earlier ?? newUpload(to, key, options);
  await earlier?.multipart.abort();
  return newUpload(to, key, options);
}

interface Noted<Of = PartsOf> {
  readonly uploadId: string;
  readonly of: Of;
}

async function readNote<Of>(at: Store, key: string): Promise<Noted<Of> | undefined> {
  try {
    return await getJson<Noted<Of>>(at, key);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

function noting(multipart: Multipart, { at, key, of }: UploadNote): Multipart {
  let noted: Promise<string> | undefined;
  const note = async (): Promise<string> => {
    const uploadId = await multipart.begin();
    try {
      await putJson(at, key, { uploadId, of } satisfies Noted);
    } catch (error) {
      // Nobody would find it again.
      await multipart.abort();
      throw error;
    }
    return uploadId;
  };
  const begin = (): Promise<string> => {
    noted ??= note();
    return noted;
  };
  return {
    begin,
    async putPart(n, body) {
      await begin();
      await multipart.putPart(n, body);
    },
    async copyPart(n, from, start, end) {
      await begin();
      await multipart.copyPart(n, from, start, end);
    },
    complete: () => multipart.complete(),
    abort: () => multipart.abort(),
  };
}

async function giveUp(multipart: Multipart, error: unknown): Promise<void> {
  if (!isWorthAnotherTry(error)) await multipart.abort();
}

/** As the steps judge it (bytes/imports/step.ts): what is no word of ours is a fault of the platform. */
const isWorthAnotherTry = (error: unknown): boolean =>
  error instanceof ImageServiceError ? error.retryable : !(error instanceof FormatError);
