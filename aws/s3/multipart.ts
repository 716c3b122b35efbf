import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { combineCrc32, crc32Header } from '../../bytes/crc32.ts';
import type { Abilities, Metadata, Multipart, ObjectVersion } from '../../bytes/store.ts';
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

/** One multipart upload, begun by its first part; its object carries a CRC32 over all of it where the service takes one. */
export class S3Multipart implements Multipart {
  readonly #at: Bucket;
  readonly #key: string;
  readonly #signal: AbortSignal | undefined;
  readonly #metadata: Metadata | undefined;
  /** By part number, from 1. */
  readonly #parts = new Map<number, Part>();
  #uploadId: Promise<string> | undefined;

  constructor(at: Bucket, key: string, signal?: AbortSignal, metadata?: Metadata) {
    this.#at = at;
    this.#key = key;
    this.#signal = signal;
    this.#metadata = metadata;
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
      const answer = await this.#at.client.send(
        new CompleteMultipartUploadCommand({
          ...this.#subject(uploadId),
          MultipartUpload: { Parts: parts.map(([number, part]) => completedPart(number, part, partsChecked)) },
          MpuObjectSize: size,
          ...(checked ? { ChecksumCRC32: crc32Header(whole), ChecksumType: 'FULL_OBJECT' } : {}),
        }),
        abortable(this.#signal),
      );
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
      throw translate(error, this.#at, this.#key, this.#signal);
    }
  }

  #subject(uploadId: string) {
    return { Bucket: this.#at.bucket, Key: this.#key, UploadId: uploadId };
  }
}

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
