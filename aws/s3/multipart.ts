import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { combineCrc32, crc32Header, headerCrc32 } from '../../bytes/crc32.ts';
import type { Abilities, Metadata, Multipart, ObjectVersion, ResumedMultipart, StoredPart } from '../../bytes/store.ts';
import { BackendUnavailable } from '../../core/errors.ts';
import { abortable, type Bucket, copySource } from './bucket.ts';
import { encodedMetadata, sourceCondition } from './copy-object.ts';
import { translate } from './failures.ts';
import { contentMd5 } from './put-object.ts';
import { checkSize, readBack, readsBack } from './read-back.ts';

interface Part {
  readonly etag: string;
  readonly checksum?: string | undefined;
  readonly crc32?: number | undefined;
  readonly bytes: number;
}

interface S3MultipartOptions {
  readonly metadata?: Metadata | undefined;
  /** One that was begun elsewhere; its parts by number, from 1. `kept`: it stays when the service makes no object of them. */
  readonly resumed?: { readonly uploadId: string; readonly parts: ReadonlyMap<number, Part>; readonly kept?: boolean };
}

/** One multipart upload, begun by its first part; its object carries a CRC32 over all of it where the service takes one. */
export class S3Multipart implements Multipart {
  readonly #at: Bucket;
  readonly #key: string;
  readonly #signal: AbortSignal | undefined;
  readonly #metadata: Metadata | undefined;
  /** By part number, from 1. */
  readonly #parts: Map<number, Part>;
  readonly #isKept: boolean;
  #uploadId: Promise<string> | undefined;

  constructor(at: Bucket, key: string, signal?: AbortSignal, { metadata, resumed }: S3MultipartOptions = {}) {
    this.#at = at;
    this.#key = key;
    this.#signal = signal;
    this.#metadata = metadata;
    this.#uploadId = resumed && Promise.resolve(resumed.uploadId);
    this.#parts = new Map(resumed?.parts);
    this.#isKept = resumed?.kept === true;
  }

  begin(): Promise<string> {
    return this.#send(async (uploadId) => uploadId);
  }

  async putPart(n: number, body: Uint8Array): Promise<void> {
    const crc = crc32(body);
    const answer = await this.#send(async (uploadId, abilities) =>
      this.#at.client.send(
        new UploadPartCommand({
          ...this.#subject(uploadId),
          PartNumber: n + 1,
          Body: body,
          ContentLength: body.length,
          ...(abilities.verifiesCrc32 ? { ChecksumCRC32: crc32Header(crc) } : {}),
          ...contentMd5(abilities, body),
        }),
        abortable(this.#signal),
      ),
    );
    const part = { etag: answer.ETag ?? '', checksum: crc32Header(crc), crc32: crc, bytes: body.length };
    this.#parts.set(n + 1, part);
  }

  async copyPart(n: number, from: ObjectVersion, start: number, end: number): Promise<void> {
    const answer = await this.#send(async (uploadId) =>
      this.#at.client.send(
        new UploadPartCopyCommand({
          ...this.#subject(uploadId),
          PartNumber: n + 1,
          CopySource: copySource(from.store.bucket, from.key),
          CopySourceRange: `bytes=${start}-${end - 1}`,
          ...(await sourceCondition(this.#at, from, this.#signal)),
        }),
        abortable(this.#signal),
      ),
    );
    const result = answer.CopyPartResult;
    this.#parts.set(n + 1, { etag: result?.ETag ?? '', checksum: result?.ChecksumCRC32, bytes: end - start });
  }

  async complete(): Promise<string> {
    const parts = [...this.#parts].toSorted(([a], [b]) => a - b);
    const size = parts.reduce((sum, [, part]) => sum + part.bytes, 0);
    const whole = wholeCrc32(parts.map(([, part]) => part));
    return this.#send(async (uploadId, abilities) => {
      const { verifiesCrc32, partChecksumsInComplete, fullObjectCrc32, etagOfComplete } = abilities;
      const partsChecked = verifiesCrc32 && partChecksumsInComplete;
      const checked = fullObjectCrc32 && whole !== undefined;
      const answer = await this.#unlessRefused({
        ...this.#subject(uploadId),
        MultipartUpload: { Parts: parts.map(([number, part]) => completedPart(number, part, partsChecked)) },
        MpuObjectSize: size,
        ...(checked ? { ChecksumCRC32: crc32Header(whole), ChecksumType: 'FULL_OBJECT' } : {}),
      });
      if (fullObjectCrc32 && etagOfComplete) return answer.ETag ?? '';
      // Nobody verified the whole: at least it is as long as its parts.
      const etag = await checkSize(this.#at, this.#key, size, this.#signal);
      if (readsBack(abilities) && whole !== undefined)
        await readBack(this.#at, this.#key, { size, crc32: whole }, this.#signal);
      return etag;
    });
  }

  async abort(): Promise<void> {
    try {
      const uploadId = await this.#uploadId;
      if (uploadId === undefined) return;
      await this.#at.client.send(new AbortMultipartUploadCommand(this.#subject(uploadId)));
    } catch {
      // The janitor aborts uploads under the prefix of a retired write.
    }
  }

  /** Parts that the service makes no object of are of no use to a later attempt, either. */
  async #unlessRefused(input: CompleteMultipartUploadCommandInput): Promise<CompleteMultipartUploadCommandOutput> {
    try {
      return await this.#at.client.send(new CompleteMultipartUploadCommand(input), abortable(this.#signal));
    } catch (error) {
      const isRefused = error instanceof S3ServiceException && error.$metadata.httpStatusCode === 400;
      if (isRefused && !this.#isKept) await this.abort();
      throw error;
    }
  }

  #begin({ verifiesCrc32, fullObjectCrc32 }: Abilities): Promise<string> {
    this.#uploadId ??= this.#at.client
      .send(
        new CreateMultipartUploadCommand({
          Bucket: this.#at.bucket,
          Key: this.#key,
          ContentType: 'application/octet-stream',
          ...(this.#metadata === undefined ? {} : { Metadata: encodedMetadata(this.#metadata) }),
          ...(verifiesCrc32 ? { ChecksumAlgorithm: 'CRC32' } : {}),
          ...(fullObjectCrc32 ? { ChecksumType: 'FULL_OBJECT' } : {}),
        }),
        abortable(this.#signal),
      )
      .then((answer) => answer.UploadId ?? '');
    return this.#uploadId;
  }

  async #send<A>(call: (uploadId: string, abilities: Abilities) => Promise<A>): Promise<A> {
    try {
      const abilities = await this.#at.abilities();
      return await call(await this.#begin(abilities), abilities);
    } catch (error) {
      throw this.#meaningOf(error);
    }
  }

  #meaningOf(error: unknown): Error {
    if (!isNoSuchUpload(error)) return translate(error, this.#at, this.#key, this.#signal);
    // Ended under us by another attempt of the same work: the next one begins anew.
    const cause = new Error(this.#key, { cause: error });
    return new BackendUnavailable(`Store ${this.#at.id} is not available`, { cause });
  }

  #subject(uploadId: string) {
    return { Bucket: this.#at.bucket, Key: this.#key, UploadId: uploadId };
  }
}

/**
 * Goes on with an upload and its parts (ListParts). Undefined when it has ended; of a service that verified none of them, too: what was
 * sent is not here any more to be compared with.
 * @throws BackendUnavailable
 */
export async function resumeMultipart(
  at: Bucket,
  key: string,
  uploadId: string,
  signal?: AbortSignal,
): Promise<ResumedMultipart | undefined> {
  try {
    const parts = await listParts(at, key, uploadId, signal);
    const multipart = new S3Multipart(at, key, signal, { resumed: { uploadId, parts } });
    if (!readsBack(await at.abilities()))
      return { multipart, parts: new Map([...parts].map(([number, { bytes }]) => [number - 1, bytes])) };
    await multipart.abort();
    return undefined;
  } catch (error) {
    if (isNoSuchUpload(error)) return undefined;
    throw translate(error, at, key, signal);
  }
}

/** Parts of an upload that somebody else sends, in order; undefined when it has ended. @throws BackendUnavailable */
export async function storedParts(at: Bucket, key: string, uploadId: string): Promise<StoredPart[] | undefined> {
  try {
    const parts = [...(await listParts(at, key, uploadId, undefined))];
    return parts
      .toSorted(([a], [b]) => a - b)
      .map(([number, { bytes, checksum = '' }]) => ({ number, size: bytes, crc32: checksum }));
  } catch (error) {
    if (isNoSuchUpload(error)) return undefined;
    throw translate(error, at, key);
  }
}

/** Makes the object of the parts that somebody else sent. An upload that is refused stays. @throws BackendUnavailable */
export async function completeListed(at: Bucket, key: string, uploadId: string): Promise<void> {
  try {
    const parts = await listParts(at, key, uploadId, undefined);
    await new S3Multipart(at, key, undefined, { resumed: { uploadId, parts, kept: true } }).complete();
  } catch (error) {
    throw translate(error, at, key);
  }
}

async function listParts(
  { bucket, client }: Bucket,
  key: string,
  uploadId: string,
  signal: AbortSignal | undefined,
): Promise<Map<number, Part>> {
  const parts = new Map<number, Part>();
  let page: ListPartsCommandOutput | undefined;
  do {
    const marker = page?.NextPartNumberMarker;
    const after = marker === undefined ? {} : { PartNumberMarker: marker };
    page = await client.send(
      new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId, ...after }),
      abortable(signal),
    );
    for (const { PartNumber = 0, ETag = '', Size = 0, ChecksumCRC32: checksum } of page.Parts ?? [])
      parts.set(PartNumber, {
        etag: ETag,
        bytes: Size,
        checksum,
        crc32: checksum === undefined ? undefined : headerCrc32(checksum),
      });
  } while (page.IsTruncated === true);
  return parts;
}

const isNoSuchUpload = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.name === 'NoSuchUpload';

function completedPart(number: number, part: Part, withChecksum: boolean): CompletedPart {
  return {
    PartNumber: number,
    ETag: part.etag,
    ...(withChecksum && part.checksum !== undefined ? { ChecksumCRC32: part.checksum } : {}),
  };
}

/** CRC32 of the object when every part's is known (copied parts are the service's own affair). */
function wholeCrc32(parts: readonly Part[]): number | undefined {
  let crc = 0;
  for (const part of parts) {
    if (part.crc32 === undefined) return undefined;
    crc = combineCrc32(crc, part.crc32, part.bytes);
  }
  return crc;
}
