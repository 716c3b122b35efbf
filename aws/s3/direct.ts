import { GetObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { DirectAccess, SignedRequest, StoredPart } from '../../bytes/store.ts';
import type { Bucket } from './bucket.ts';
import { completeListed, storedParts } from './multipart.ts';

/** What says which bytes a part has: headers that are signed as headers, so that nothing else may be sent with the URL. */
const OF_PART = ['content-length', 'x-amz-checksum-crc32'];

/**
 * Requests that S3 takes from whoever has their URL (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"). They
 * are signed with the credentials of this process, which therefore needs what they do, and die with these when those end earlier.
 */
export function directAccess(at: Bucket): DirectAccess {
  return {
    async signPart(key, uploadId, part, seconds) {
      return { number: part.number, ...(await signPart(at, key, uploadId, part, seconds)) };
    },

    async signGet(key, seconds) {
      const signedAt = new Date();
      const command = new GetObjectCommand({ Bucket: at.bucket, Key: key });
      // The presigner says itself that the payload is not signed; what our client says (client.ts) would stand in the URL a second time.
      command.middlewareStack.add(
        (next) => (args) => {
          delete (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'];
          return next(args);
        },
        { step: 'build', priority: 'low', name: 'saidOnce' },
      );
      const url = await getSignedUrl(at.client, command, { expiresIn: seconds, signingDate: signedAt });
      return { url, method: 'GET', headers: {}, expiresAtMs: signedAt.getTime() + seconds * 1000 };
    },

    listParts: (key, uploadId) => storedParts(at, key, uploadId),
    joinParts: (key, uploadId) => completeListed(at, key, uploadId),
  };
}

async function signPart(
  at: Bucket,
  key: string,
  uploadId: string,
  { number, size, crc32 }: StoredPart,
  seconds: number,
): Promise<SignedRequest> {
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
    ...{ url, method: 'PUT', expiresAtMs: signedAt.getTime() + seconds * 1000 },
    headers: { 'content-length': String(size), 'x-amz-checksum-crc32': crc32 },
  };
}
