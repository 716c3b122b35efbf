import type { IncomingHttpHeaders } from 'node:http';
import { InvalidInput, NotImplemented, UnsupportedMedia } from '../core/errors.ts';

/** What the headers of PUT file and PUT stage say. */
export interface UploadHeaders {
  readonly store: string | undefined;
  /** Bytes; undefined for a chunked body of undeclared size. */
  readonly declaredSize: number | undefined;
}

/**
 * Reads the headers of an upload (contract: images.md section 10).
 * @throws UnsupportedMedia unless the type is application/octet-stream, in whatever case, and for a content coding: the image would be
 *   the coded bytes; NotImplemented for a transfer coding besides chunked (RFC 9112, section 6.1); InvalidInput for a size that is none
 */
export function uploadHeaders(headers: IncomingHttpHeaders): UploadHeaders {
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/octet-stream') {
    throw new UnsupportedMedia(`Content-Type "${headers['content-type'] ?? ''}": application/octet-stream is needed`);
  }
  refuseCodings(headers);
  return { store: one(headers['x-image-meta-store']), declaredSize: declaredSize(headers) };
}

function refuseCodings(headers: IncomingHttpHeaders): void {
  const transfer = codingsOf(headers['transfer-encoding']).filter((coding) => coding !== 'chunked');
  if (transfer.length > 0) throw new NotImplemented(`Transfer-Encoding "${transfer.join(', ')}" is not supported`);
  const content = codingsOf(headers['content-encoding']).filter((coding) => coding !== 'identity');
  if (content.length > 0)
    throw new UnsupportedMedia(
      `Content-Encoding "${content.join(', ')}": image data is taken as it is, send it uncoded`,
    );
}

const codingsOf = (header: string | undefined): string[] =>
  (header ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '');

function declaredSize(headers: IncomingHttpHeaders): number | undefined {
  const named = one(headers['x-openstack-image-size']);
  if (named !== undefined) {
    const size = Number(named);
    if (!/^\s*\d+\s*$/.test(named) || !Number.isSafeInteger(size)) {
      throw new InvalidInput(`x-openstack-image-size "${named}": a number of bytes is needed`);
    }
    return size;
  }
  if (headers['content-length'] !== undefined) return Number(headers['content-length']);
  return headers['transfer-encoding'] === undefined ? 0 : undefined;
}

/** The first value of a header. */
export function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}
