import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { crc32Header } from '../../bytes/crc32.ts';
import type { Abilities, PutOptions } from '../../bytes/store.ts';
import { abortable, type Bucket } from './bucket.ts';
import { translate } from './failures.ts';

/** Stores an object in one request, with what the service verifies it by. Returns its ETag. @throws BackendUnavailable, NotFound (bucket) */
export async function putObject(
  at: Bucket,
  key: string,
  body: Uint8Array,
  { signal, crc32: crc, contentType = 'application/octet-stream' }: PutOptions = {},
): Promise<string> {
  try {
    const answer = await at.client.send(
      new PutObjectCommand({
        Bucket: at.bucket,
        Key: key,
        Body: body,
        ContentLength: body.length,
        ContentType: contentType,
        ...(at.abilities.verifiesCrc32 ? { ChecksumCRC32: crc32Header(crc ?? crc32(body)) } : {}),
        ...contentMd5(at.abilities, body),
      }),
      abortable(signal),
    );
    return answer.ETag ?? '';
  } catch (error) {
    throw translate(error, at, key, signal);
  }
}

/** For a service that wants it: RFC 1864. */
export function contentMd5({ needsContentMd5 }: Abilities, body: Uint8Array): { ContentMD5?: string } {
  return needsContentMd5 ? { ContentMD5: createHash('md5').update(body).digest('base64') } : {};
}
