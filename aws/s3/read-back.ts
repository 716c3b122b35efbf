import { crc32 } from 'node:zlib';
import type { Abilities } from '../../bytes/store.ts';
import { BackendUnavailable } from '../../core/errors.ts';
import type { Bucket } from './bucket.ts';
import { RangedGet } from './ranged-get.ts';
import { headObject } from './single-object.ts';

/** What was sent. */
interface Sent {
  readonly size: number;
  readonly crc32: number;
}

/** Whether what is sent to the service is verified by nobody but us. */
export const readsBack = ({ verifiesCrc32, verifiesMd5 }: Abilities): boolean => !verifiesCrc32 && !verifiesMd5;

/** Reads what was stored and compares it with what was sent. @throws BackendUnavailable when it is something else */
export async function readBack(at: Bucket, key: string, sent: Sent, signal: AbortSignal | undefined): Promise<void> {
  const etag = await checkSize(at, key, sent.size, signal);
  if (sent.size === 0) return;
  let crc = 0;
  for await (const batch of new RangedGet(at, key, 0, sent.size, { etag, signal }))
    for (const chunk of batch) crc = crc32(chunk, crc);
  if (crc !== sent.crc32) throw differs(at, key, 'its CRC32 is not that of what was sent');
}

/** Looks at the object that a request made, and returns its ETag. @throws BackendUnavailable when it has another size than what was sent */
export async function checkSize(
  at: Bucket,
  key: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const found = await headObject(at, key, signal);
  if (found.size !== size) throw differs(at, key, `it has ${found.size} bytes of ${size}`);
  return found.etag;
}

function differs({ id }: Bucket, key: string, how: string): BackendUnavailable {
  return new BackendUnavailable(`Store ${id} is not available`, { cause: new Error(`${id}: ${key}: ${how}`) });
}
