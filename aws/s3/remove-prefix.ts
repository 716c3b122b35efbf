import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { BackendUnavailable, NotFound } from '../../core/errors.ts';
import type { Bucket } from './bucket.ts';
import { translate } from './failures.ts';

/** Of a removal of many that failed at some. */
const RETRIES = 3;
const FIRST_WAIT_MS = 200;

/** Removes every object, and aborts every multipart upload, under a prefix. Idempotent. @throws BackendUnavailable */
export async function removePrefix(at: Bucket, prefix: string): Promise<void> {
  // Uploads first: one that completes in between leaves an object, which the second step removes.
  await abortUploads(at, prefix);
  await removeObjects(at, prefix);
}

async function removeObjects(at: Bucket, prefix: string): Promise<void> {
  const bucket = { Bucket: at.bucket };
  let token: string | undefined;
  do {
    const page = await attempt(at, prefix, () =>
      at.client.send(
        new ListObjectsV2Command({
          ...bucket,
          Prefix: prefix,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      ),
    );
    const keys = (page?.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
    if (keys.length > 0) await removeKeys(at, prefix, keys);
    token = page?.NextContinuationToken;
  } while (token !== undefined);
}

/** One request, and further ones for what it left: the service answers 200 though it failed at some. */
async function removeKeys(at: Bucket, prefix: string, all: readonly string[]): Promise<void> {
  const { needsContentMd5 } = await at.abilities();
  let keys = all;
  for (let retries = 0; ; retries++) {
    const removed = await attempt(at, prefix, () => at.client.send(deletion(at.bucket, keys, needsContentMd5)));
    const failed = (removed?.Errors ?? []).filter(({ Code }) => Code !== 'NoSuchKey');
    if (failed.length === 0) return;
    if (retries === RETRIES) {
      const cause = new Error(failed.map(({ Key, Code }) => `${Key}: ${Code}`).join('; '));
      throw new BackendUnavailable(`Store ${at.id} is not available`, { cause });
    }
    keys = failed.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
    await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** retries));
  }
}

function deletion(bucket: string, keys: readonly string[], needsContentMd5: boolean): DeleteObjectsCommand {
  const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
  const command = new DeleteObjectsCommand({ Bucket: bucket, Delete });
  if (needsContentMd5) withContentMd5(command);
  return command;
}

/** RFC 1864. The SDK sends a CRC32 with this request and takes no MD5 as input. */
function withContentMd5(command: DeleteObjectsCommand): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: string; headers: Record<string, string> };
      request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64');
      return next(args);
    },
    { step: 'build', name: 'contentMd5' },
  );
}

async function abortUploads(at: Bucket, prefix: string): Promise<void> {
  const bucket = { Bucket: at.bucket };
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const from: { KeyMarker?: string; UploadIdMarker?: string } = marker;
    const page = await attempt(at, prefix, () =>
      at.client.send(new ListMultipartUploadsCommand({ ...bucket, Prefix: prefix, ...from })),
    );
    for (const { Key, UploadId } of page?.Uploads ?? []) {
      if (Key === undefined || !Key.startsWith(prefix)) continue;
      await attempt(at, Key, () => at.client.send(new AbortMultipartUploadCommand({ ...bucket, Key, UploadId })));
    }
    marker =
      page?.IsTruncated === true && page.NextKeyMarker !== undefined
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
          }
        : undefined;
  }
}

/** The answer, or undefined when what was to be removed is not there (any more). @throws BackendUnavailable */
async function attempt<A>(at: Bucket, key: string, call: () => Promise<A>): Promise<A | undefined> {
  try {
    return await call();
  } catch (error) {
    const failure = translate(error, at, key);
    if (failure instanceof NotFound) return undefined;
    throw failure;
  }
}
