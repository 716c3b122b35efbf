import { createHash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { crc32Header } from '../../bytes/crc32.ts';
import { PROBE_PREFIX } from '../../bytes/keys.ts';
import type { Abilities } from '../../bytes/store.ts';
import { AWS_ABILITIES, type Bucket, copySource } from './bucket.ts';
import { translate } from './failures.ts';
import { removePrefix } from './remove-prefix.ts';

/** What a probe speaks to. */
export type Probed = Pick<Bucket, 'id' | 'bucket' | 'client'>;

const BODY = Buffer.from('What can this service do?');
const CRC32 = crc32Header(crc32(BODY));
const WRONG_CRC32 = crc32Header(crc32(BODY) ^ 1);
const WRONG_MD5 = createHash('md5').update('Something else.').digest('base64');
const STALE_ETAG = `"${'0'.repeat(32)}"`;

/** With these a service says that it will not do what was asked; all else says nothing of what it can. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([400, 411, 412, 422, 501]);

/**
 * Finds out what a service can by asking it for what it should refuse, and for what it may not take: some twenty small requests under a
 * prefix of their own, which is removed. Bounds are those of Amazon S3, which services of this protocol share.
 * @throws BackendUnavailable, NotFound (bucket): nothing is known then
 */
export async function probeAbilities(at: Probed): Promise<Abilities> {
  const prefix = `${PROBE_PREFIX}${randomUUID()}/`;
  try {
    return await probe(at, prefix);
  } catch (error) {
    throw translate(error, at, prefix);
  } finally {
    // What stays are a few bytes, and the error of the probe says more than that of its removal.
    await removePrefix({ ...at, abilities: async () => CAUTIOUS }, prefix).catch(() => undefined);
  }
}

/** Enough to speak to a service of which nothing is known. */
export const CAUTIOUS: Abilities = {
  ...AWS_ABILITIES,
  verifiesCrc32: false,
  verifiesMd5: false,
  partChecksumsInComplete: false,
  fullObjectCrc32: false,
  needsContentMd5: true,
  conditionalCopies: false,
  etagOfComplete: false,
};

async function probe({ bucket, client }: Probed, prefix: string): Promise<Abilities> {
  const key = `${prefix}object`;
  const put = async (checks: { ChecksumCRC32?: string; ContentMD5?: string }) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: BODY, ContentLength: BODY.length, ...checks }));
  const upload = uploads({ bucket, client }, `${prefix}parts`);

  await put({});
  const verifiesCrc32 = await refuses(() => put({ ChecksumCRC32: WRONG_CRC32 }));
  const verifiesMd5 = await refuses(() => put({ ContentMD5: WRONG_MD5 }));
  const takes = async (call: () => Promise<unknown>): Promise<boolean> => !(await refuses(call));
  const completed = await upload({});
  const { ETag } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: `${prefix}parts` }));
  const from = { Bucket: bucket, CopySource: copySource(bucket, key), CopySourceIfMatch: STALE_ETAG };
  return {
    ...AWS_ABILITIES,
    verifiesCrc32,
    verifiesMd5,
    // Checksums that nobody verifies are not sent, so that it does not matter who takes them.
    partChecksumsInComplete: verifiesCrc32 && (await takes(() => upload({ part: CRC32 }))),
    fullObjectCrc32:
      verifiesCrc32 &&
      (await refuses(() => upload({ whole: WRONG_CRC32 }))) &&
      (await takes(() => upload({ whole: CRC32 }))),
    etagOfComplete: completed.ETag !== undefined && completed.ETag !== '' && completed.ETag === ETag,
    conditionalCopies:
      (await refuses(() => client.send(new CopyObjectCommand({ ...from, Key: `${prefix}copy` })))) &&
      (await refuses(() => upload({}, from))),
    needsContentMd5: await refuses(() =>
      client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: key }], Quiet: true } })),
    ),
  };
}

/** An upload of one part, sent or copied, with checksums of the part and of the whole at its completion. */
function uploads({ bucket, client }: Pick<Probed, 'bucket' | 'client'>, key: string) {
  return async (
    { part, whole }: { readonly part?: string; readonly whole?: string },
    from?: { readonly CopySource: string; readonly CopySourceIfMatch: string },
  ) => {
    const object = { Bucket: bucket, Key: key };
    const wanted = part !== undefined || whole !== undefined;
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({
        ...object,
        ...(wanted && { ChecksumAlgorithm: 'CRC32' }),
        ...(whole !== undefined && { ChecksumType: 'FULL_OBJECT' }),
      }),
    );
    const first = { ...object, UploadId, PartNumber: 1 };
    const sent = async () =>
      client.send(
        new UploadPartCommand({
          ...first,
          Body: BODY,
          ContentLength: BODY.length,
          ...(wanted && { ChecksumCRC32: CRC32 }),
        }),
      );
    const copied = async (source: NonNullable<typeof from>) =>
      (await client.send(new UploadPartCopyCommand({ ...first, ...source }))).CopyPartResult;
    const etag = (from === undefined ? await sent() : await copied(from))?.ETag;
    const Parts = [{ PartNumber: 1, ETag: etag, ...(part !== undefined && { ChecksumCRC32: part }) }];
    return client.send(
      new CompleteMultipartUploadCommand({
        ...object,
        UploadId,
        MultipartUpload: { Parts },
        ...(whole !== undefined && { ChecksumCRC32: whole, ChecksumType: 'FULL_OBJECT' }),
      }),
    );
  };
}

async function refuses(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return false;
  } catch (error) {
    if (error instanceof S3ServiceException && REFUSALS.has(error.$metadata.httpStatusCode)) return true;
    throw error;
  }
}
