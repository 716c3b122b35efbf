import { GetObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { SignedPart, SignedRequest, StoredPart } from '../../bytes/store.ts';
import type { Bucket } from './bucket.ts';

/** What says which bytes a part has: headers that are signed as headers, so that nothing else may be sent with the URL. */
const OF_PART = ['content-length', 'x-amz-checksum-crc32'];

/**
 * A request that S3 takes from whoever has its URL (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"). It is
 * signed with the credentials of this process, which therefore needs what it does, and dies with these when they end earlier.
 */
export async function signGet(at: Bucket, key: string, seconds: number): Promise<SignedRequest> {
  const signedAt = new Date();
  const command = new GetObjectCommand({ Bucket: at.bucket, Key: key });
  const url = await getSignedUrl(at.client, command, { expiresIn: seconds, signingDate: signedAt });
  return { url, method: 'GET', headers: {}, expiresAtMs: signedAt.getTime() + seconds * 1000 };
}

/** As `signGet`, for the bytes of one part and no others. */
export async function signPart(
  at: Bucket,
  key: string,
  uploadId: string,
  { number, size, crc32 }: StoredPart,
  seconds: number,
): Promise<SignedPart> {
  const signedAt = new Date();
  const command = new UploadPartCommand({
    ...{ Bucket: at.bucket, Key: key, UploadId: uploadId, PartNumber: number },
    ...{ ContentLength: size, ChecksumCRC32: crc32 },
  });
  // The presigner says itself that the payload is not signed; what our client says (client.ts) would stand in the URL a second time.
  command.middlewareStack.add(
    (next) => (args) => {
      delete (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'];
      return next(args);
    },
    { step: 'build', priority: 'low', name: 'saidOnce' },
  );
  const url = await getSignedUrl(at.client, command, {
    ...{ expiresIn: seconds, signingDate: signedAt },
    ...{ signableHeaders: new Set(['host', ...OF_PART]), unhoistableHeaders: new Set(OF_PART) },
  });
  return {
    ...{ number, url, method: 'PUT', expiresAtMs: signedAt.getTime() + seconds * 1000 },
    headers: { 'content-length': String(size), 'x-amz-checksum-crc32': crc32 },
  };
}
