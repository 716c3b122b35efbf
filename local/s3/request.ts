import type { IncomingMessage } from 'node:http';
import { S3Error } from './errors.ts';
import type { ObjectSlice } from './send.ts';

/** S3 limit on the UTF-8 length of a key, in bytes. */
const MAX_KEY_BYTES = 1024;

/** Largest XML request body, in bytes: CompleteMultipartUpload of 10,000 parts with checksums stays under 4 MiB. */
const MAX_XML_BODY_BYTES = 8 * 1024 * 1024;

/** One request, parsed once. `bucket` and `key` are decoded and empty when absent; `query` is decoded, names as sent. */
export interface S3Request {
  readonly message: IncomingMessage;
  readonly method: string;
  /** Decoded path as sent, for the canonical request of a signature. */
  readonly path: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  header(name: string): string | undefined;
}

/** What an operation answers. `body` is XML unless headers say otherwise; `slice` streams stored bytes. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly slice?: ObjectSlice;
  /** Bytes that a copy took from its source. */
  readonly copiedBytes?: number;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw Object.assign(new S3Error('InvalidURI'), { cause });
  }
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    const value = equals === -1 ? '' : pair.slice(equals + 1);
    query.set(decode(name.replaceAll('+', ' ')), decode(value.replaceAll('+', ' ')));
  }
  return query;
}

/**
 * Splits a path-style request. The path is taken as sent and never normalised, so `../../x` and `d//e` are keys like any other.
 * Throws InvalidURI (bad percent-encoding) and KeyTooLongError.
 */
export function parseRequest(message: IncomingMessage): S3Request {
  const url = (message.url ?? '/').replace(/^https?:\/\/[^/]*/i, '');
  const mark = url.indexOf('?');
  const path = decode(mark === -1 ? url : url.slice(0, mark));
  const slash = path.indexOf('/', 1);
  const bucket = slash === -1 ? path.slice(1) : path.slice(1, slash);
  const key = slash === -1 ? '' : path.slice(slash + 1);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error('KeyTooLongError');
  return {
    message,
    method: message.method ?? 'GET',
    path,
    bucket,
    key,
    query: parseQuery(mark === -1 ? '' : url.slice(mark + 1)),
    header: (name) => {
      const value = message.headers[name];
      return Array.isArray(value) ? value.join(',') : value;
    },
  };
}

/** Reads a small body whole. Throws EntityTooLarge above 8 MiB. */
export async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const arriving: AsyncIterable<Buffer> = message.iterator({ destroyOnReturn: false });
  for await (const chunk of arriving) {
    length += chunk.length;
    if (length > MAX_XML_BODY_BYTES) throw new S3Error('EntityTooLarge');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * A whole number in `[min, max]` from a query parameter, or `fallback` when it is absent.
 * Throws InvalidArgument naming the parameter.
 */
export function integerParameter(request: S3Request, name: string, fallback: number, min: number, max: number): number {
  const text = request.query.get(name);
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min) {
    throw new S3Error(
      'InvalidArgument',
      `Argument ${name} must be an integer between ${min} and ${max}, not "${text}"`,
    );
  }
  return Math.min(value, max);
}
