import type { IncomingMessage, ServerResponse } from 'node:http';
import { cacheControl } from '../api/cache-control.ts';
import type { StoredBytes } from '../bytes/stored-bytes.ts';
import { type ImageReader, openStored } from '../bytes/stored-image.ts';
import { BackendUnavailable, ImageServiceError, InvalidInput, NotFound } from '../core/errors.ts';
import type { Caller } from '../core/identity/caller.ts';
import { planDownload } from '../core/images/download.ts';
import type { Image } from '../core/images/image.ts';
import { byteRange, isRangeWanted } from './byte-range.ts';
import type { GatewayDeps } from './deps.ts';
import type { DownloadPlaces } from './download-places.ts';
import { ClientGone } from './pump.ts';
import { type Batches, type SendOptions, sendBytes } from './send-bytes.ts';
import { one } from './upload-headers.ts';

export interface GetOptions extends Pick<SendOptions, 'stallMs' | 'pace'> {
  readonly places: DownloadPlaces;
}

/**
 * GET file (contract: images.md section 11). The answer is begun when the first bytes are here, so that what fails before is an
 * error answer; what fails later goes on with the next copy, or ends the connection.
 * @throws InvalidInput, NotFound, Forbidden, RangeNotSatisfiable, BackendUnavailable, Busy: nothing has been answered then
 */
export async function getFile(
  deps: GatewayDeps,
  caller: Caller,
  imageId: string,
  /** Stores to read from, the first one first. */
  prefer: readonly string[] | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  options: GetOptions,
): Promise<void> {
  if (Number(request.headers['content-length'] ?? 0) > 0) {
    throw new InvalidInput('A body is not expected with this request.');
  }
  const { image, copies } = await planDownload(deps, caller, imageId, prefer);
  const gone = new AbortController();
  response.once('close', () => gone.abort(new ClientGone('the client disconnected in the middle of the download')));
  const share = options.places.share(caller.projectId ?? caller.userId);
  try {
    if (copies.length > 0) await share.enter(gone.signal);
    const opened = await openFirst(deps, copies, gone.signal);
    if (opened === undefined) response.writeHead(204).end();
    else await answer(deps, image, opened, request, response, { ...options, share, signal: gone.signal });
  } finally {
    share.close();
  }
}

async function answer(
  deps: GatewayDeps,
  image: Image,
  opened: Opened,
  request: IncomingMessage,
  response: ServerResponse,
  options: SendOptions,
): Promise<void> {
  const total = image.size ?? opened.reader.size;
  const etag = etagOf(image);
  const { range: wanted, 'content-range': historic, 'if-range': ifRange } = request.headers;
  const range = isRangeWanted(one(ifRange), etag)
    ? byteRange(wanted, one(historic), total)
    : byteRange(undefined, undefined, total);
  const open = (at: number): Batches => bytesOf(deps, opened, at, range.end, options.signal);
  const batches = open(range.start);
  const next = await batches.next();
  response.writeHead(range.partial ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'cache-control': cacheControl(true),
    'content-length': range.end - range.start,
    ...(image.checksum === null ? {} : { 'content-md5': image.checksum }),
    ...(etag === undefined ? {} : { etag }),
    ...(range.partial ? { 'content-range': `bytes ${range.start}-${range.end - 1}/${total}` } : {}),
  });
  await sendBytes(response, range, { batches, next }, open, options);
}

/** Of the bytes, not of the record: what continues a download compares it. Undefined for an image that was never hashed. */
function etagOf({ hashValue, checksum }: Pick<Image, 'hashValue' | 'checksum'>): string | undefined {
  const hash = hashValue ?? checksum;
  return hash === null ? undefined : `"${hash}"`;
}

interface Opened {
  readonly reader: ImageReader;
  /** Copies to go on with when this one fails. */
  readonly others: readonly StoredBytes[];
}

/** The first copy that can be opened; undefined when no copy exists (any more). @throws BackendUnavailable when one might */
async function openFirst(
  deps: GatewayDeps,
  copies: readonly StoredBytes[],
  signal: AbortSignal,
): Promise<Opened | undefined> {
  let failure: unknown;
  for (const [at, copy] of copies.entries()) {
    try {
      return { reader: await openStored(deps.places, copy, { signal }), others: copies.slice(at + 1) };
    } catch (error) {
      if (signal.aborted) throw error;
      deps.log.warn('a copy cannot be opened', { place: copy.place, prefix: copy.prefix, cause: String(error) });
      if (!(error instanceof NotFound)) failure = error;
    }
  }
  if (failure !== undefined) throw asUnavailable(failure);
  return undefined;
}

/** Bytes [start, end); a copy that fails in the middle is replaced by the next one, from where it failed. */
async function* bytesOf(deps: GatewayDeps, opened: Opened, start: number, end: number, signal: AbortSignal): Batches {
  let at = start;
  for (let current: Opened | undefined = opened; at < end; ) {
    try {
      for await (const batch of current.reader.batches(at, end)) {
        for (const chunk of batch) at += chunk.length;
        yield batch;
      }
      return;
    } catch (error) {
      if (signal.aborted || current.others.length === 0) throw asUnavailable(error);
      deps.log.warn('a copy failed while it was read', { offset: at, cause: String(error) });
      current = await openFirst(deps, current.others, signal);
      if (current === undefined) throw asUnavailable(error);
    }
  }
}

/** What is wrong with stored bytes is our affair, not the client's. */
function asUnavailable(error: unknown): unknown {
  if (error instanceof ClientGone) return error;
  if (error instanceof ImageServiceError && !(error instanceof NotFound)) return error;
  return new BackendUnavailable('The image data cannot be read', { cause: error });
}
