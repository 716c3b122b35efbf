import type { Link } from '../../core/images/link.ts';
import { partCount } from '../../core/uploads/session.ts';
import type { ShownUpload } from '../../core/uploads/show.ts';
import type { SignedPart } from '../../core/uploads/sign-parts.ts';
import { wireTime } from '../timestamps.ts';
import type { LinkAnswer, SignedPartsAnswer, UploadAnswer } from './answers.ts';

const wireMs = (ms: number): string => wireTime(new Date(ms).toISOString());

export function uploadView({ session, received, parts }: ShownUpload): UploadAnswer {
  return {
    id: session.id,
    image_id: session.imageId,
    state: session.state,
    size: session.size,
    part_size: session.partSize,
    part_count: partCount(session),
    received,
    parts,
    created_at: wireTime(session.createdAt),
    expires_at: wireMs(session.expiresAtMs),
  };
}

export function signedPartView({ number, url, headers, expiresAtMs }: SignedPart): SignedPartsAnswer['parts'][number] {
  return { number, url, method: 'PUT', headers, expires_at: wireMs(expiresAtMs) };
}

export function linkView({ image, request }: Link): LinkAnswer {
  return {
    url: request.url,
    method: 'GET',
    headers: request.headers,
    expires_at: wireMs(request.expiresAtMs),
    size: image.size,
    checksum: image.checksum,
    os_hash_algo: image.hashAlgo,
    os_hash_value: image.hashValue,
  };
}
