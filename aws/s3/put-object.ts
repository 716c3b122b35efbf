import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { crc32Header } from '../../bytes/crc32.ts';
import type { Abilities, PutOptions } from '../../bytes/store.ts';
import { abortable, type Bucket } from './bucket.ts';
import { translate } from './failures.ts';
import { readBack, readsBack } from './read-back.ts';

/**
 * Stores an object in one request, with what the service verifies it by; what it does not verify is read back. Returns its ETag.
 * @throws BackendUnavailable, NotFound (bucket)
 */
export async function putObject(
  at: Bucket,
  key: string,
  body: Uint8Array,
  { signal, crc32: given, contentType = 'application/octet-stream' }: PutOptions = {},
): Promise<string> {
  try {
    const abilities = await at.abilities();
    const crc = given ?? (abilities.verifiesCrc32 || readsBack(abilities) ? crc32(body) : 0);
    const answer = await at.client.send(
      new PutObjectCommand({
        Bucket: at.bucket,
        Key: key,
        Body: body,
        ContentLength: body.length,
        ContentType: contentType,
        ...(abilities.verifiesCrc32 ? { ChecksumCRC32: crc32Header(crc) } : {}),
        ...contentMd5(abilities, body),
      }),
      abortable(signal),
    );
    if (readsBack(abilities)) await readBack(at, key, { size: body.length, crc32: crc }, signal);
    return answer.ETag ?? '';
  } catch (error) {
    throw translate(error, at, key, signal);
  }
}

/** For a service that wants it, or verifies nothing else: RFC 1864. */
export function contentMd5(abilities: Abilities, body: Uint8Array): { ContentMD5?: string } {
  const { needsContentMd5, verifiesCrc32, verifiesMd5 } = abilities;
  if (!needsContentMd5 && (verifiesCrc32 || !verifiesMd5)) return {};
  return { ContentMD5: createHash('md5').update(body).digest('base64') };
}
