/** What an answer says of the file that was asked for. */
import type { IncomingMessage } from 'node:http';

/** A file that was changed so long ago is not in the middle of a change, whatever the clocks. */
const SETTLED_MS = 60_000;

/**
 * What is wrong with an answer to the request for a whole file. A proxy may have changed what it says of it (203), and a part may be all
 * of it (206). A coded body would be stored coded: identity was asked for.
 */
export function refusalOf({ statusCode, statusMessage, headers }: IncomingMessage): string | undefined {
  if (!(statusCode === 200 || statusCode === 203 || (statusCode === 206 && isWhole(headers['content-range']))))
    return `${statusCode} ${statusMessage ?? ''}`.trimEnd();
  const coding = codingOf(headers);
  return coding === undefined ? undefined : `with Content-Encoding ${coding}, though asked for none`;
}

function codingOf(headers: IncomingMessage['headers']): string | undefined {
  const coding = (headers['content-encoding'] ?? '').trim().toLowerCase();
  return coding === 'identity' || coding === '' ? undefined : coding;
}

function isWhole(range: string | undefined): boolean {
  const found = rangeIn(range);
  return found !== undefined && found.start === 0 && found.end === found.length;
}

/** Bytes [start, end) of so many; undefined for what is not one range of a known length (RFC 9110, 14.4). */
function rangeIn(header: string | undefined): { start: number; end: number; length: number } | undefined {
  const found = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? '');
  if (found === null) return undefined;
  const [start = 0, last = 0, length = 0] = found.slice(1).map(Number);
  return { start, end: last + 1, length };
}

/** A part of a version of a file. */
export interface Part {
  readonly start: number;
  /** Behind its last byte; absent: the end of the file. */
  readonly end?: number;
  readonly validator: string;
  /** Bytes of the whole file, when they are known. */
  readonly length: number | undefined;
}

/** Bytes of the whole file when the answer is exactly the part that was asked for. */
export function lengthOfPart(response: IncomingMessage, part: Part): number | undefined {
  if (response.statusCode !== 206 || codingOf(response.headers) !== undefined) return undefined;
  const found = rangeIn(response.headers['content-range']);
  if (found === undefined || validatorOf(response) !== part.validator) return undefined;
  const { start, end, length } = found;
  const isPart = start === part.start && end === (part.end ?? length) && length === (part.length ?? length);
  return isPart ? length : undefined;
}

/**
 * A strong ETag; or when the file was changed, if that is so long before the answer that no second change can bear the same time
 * (RFC 9110, 8.8.2.2 and 13.1.5).
 */
export function validatorOf({ headers }: IncomingMessage): string | undefined {
  const { etag, date, 'last-modified': modified } = headers;
  if (etag !== undefined) return etag.startsWith('"') ? etag : undefined;
  const ageMs = Date.parse(date ?? '') - Date.parse(modified ?? '');
  return ageMs >= SETTLED_MS ? modified : undefined;
}

/** Undefined when the server does not say. */
export function lengthOf({ headers }: IncomingMessage): number | undefined {
  const header = headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/** The server says that it gives parts, or has just done so. */
export function givesParts({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 206 || (headers['accept-ranges'] ?? '').trim().toLowerCase() === 'bytes';
}
