import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { combineCrc32, crc32Header } from '../../bytes/crc32.ts';
import { translate } from './failures.ts';
import type { Place } from './places.ts';

/** Stores an object in one request, checked by its CRC32. Returns its ETag. @throws BackendUnavailable, NotFound (bucket) */
export async function putObject(
  place: Place,
  key: string,
  body: Uint8Array,
  options: { readonly signal?: AbortSignal | undefined; readonly crc32?: number } = {},
): Promise<string> {
  try {
    const answer = await place.client.send(
      new PutObjectCommand({
        Bucket: place.bucket,
        Key: key,
        Body: body,
        ContentLength: body.length,
        ContentType: 'application/octet-stream',
        ChecksumCRC32: crc32Header(options.crc32 ?? crc32(body)),
      }),
      options.signal === undefined ? {} : { abortSignal: options.signal },
    );
    return answer.ETag ?? '';
  } catch (error) {
    throw translate(error, place, key, options.signal);
  }
}

interface Part {
  readonly number: number;
  readonly etag: string;
  readonly checksum?: string | undefined;
  readonly crc32?: number;
  readonly bytes: number;
}

/**
 * One multipart upload, begun by its first part, whose object carries a CRC32 over all of it. Parts may come in any order and at
 * once; each is numbered from 0.
 */
export class Multipart {
  readonly #place: Place;
  readonly #key: string;
  readonly #signal: AbortSignal | undefined;
  readonly #parts: Part[] = [];
  #uploadId: Promise<string> | undefined;

  constructor(place: Place, key: string, signal?: AbortSignal) {
    this.#place = place;
    this.#key = key;
    this.#signal = signal;
  }

  /** @throws BackendUnavailable, NotFound (bucket) */
  async put(n: number, body: Buffer): Promise<void> {
    const crc = crc32(body);
    const checksum = crc32Header(crc);
    const answer = await this.#send(async (uploadId) =>
      this.#place.client.send(
        new UploadPartCommand({
          ...this.#subject(uploadId),
          PartNumber: n + 1,
          Body: body,
          ContentLength: body.length,
          ChecksumCRC32: checksum,
        }),
        this.#abortable(),
      ),
    );
    this.#parts.push({ number: n + 1, etag: answer.ETag ?? '', checksum, crc32: crc, bytes: body.length });
  }

  /** Copies bytes [start, end) of `source` (`bucket/key`), the service reading them itself. @throws NotFound, SourceChanged, BackendUnavailable */
  async copy(n: number, source: string, start: number, end: number, etag?: string): Promise<void> {
    const answer = await this.#send(async (uploadId) =>
      this.#place.client.send(
        new UploadPartCopyCommand({
          ...this.#subject(uploadId),
          PartNumber: n + 1,
          CopySource: source,
          CopySourceRange: `bytes=${start}-${end - 1}`,
          ...(etag === undefined ? {} : { CopySourceIfMatch: etag }),
        }),
        this.#abortable(),
      ),
    );
    const result = answer.CopyPartResult;
    this.#parts.push({ number: n + 1, etag: result?.ETag ?? '', checksum: result?.ChecksumCRC32, bytes: end - start });
  }

  /** Makes the object of the parts and returns its ETag. @throws BackendUnavailable */
  async complete(): Promise<string> {
    const parts = this.#parts.toSorted((a, b) => a.number - b.number);
    const whole = wholeCrc32(parts);
    const size = parts.reduce((sum, part) => sum + part.bytes, 0);
    const answer = await this.#send(async (uploadId) =>
      this.#place.client.send(
        new CompleteMultipartUploadCommand({
          ...this.#subject(uploadId),
          MultipartUpload: { Parts: parts.map(completedPart) },
          MpuObjectSize: size,
          ...(whole === undefined ? {} : { ChecksumCRC32: crc32Header(whole), ChecksumType: 'FULL_OBJECT' }),
        }),
        this.#abortable(),
      ),
    );
    return answer.ETag ?? '';
  }

  /** Removes what was stored of an upload that will not be completed. Never throws: what remains is swept by prefix. */
  async abort(): Promise<void> {
    try {
      const uploadId = await this.#uploadId;
      if (uploadId === undefined) return;
      await this.#place.client.send(new AbortMultipartUploadCommand(this.#subject(uploadId)));
    } catch {
      // The janitor aborts uploads under the prefix of a retired write.
    }
  }

  #begin(): Promise<string> {
    this.#uploadId ??= this.#place.client
      .send(
        new CreateMultipartUploadCommand({
          Bucket: this.#place.bucket,
          Key: this.#key,
          ContentType: 'application/octet-stream',
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'FULL_OBJECT',
        }),
        this.#abortable(),
      )
      .then((answer) => answer.UploadId ?? '');
    return this.#uploadId;
  }

  async #send<A>(call: (uploadId: string) => Promise<A>): Promise<A> {
    try {
      return await call(await this.#begin());
    } catch (error) {
      throw translate(error, this.#place, this.#key, this.#signal);
    }
  }

  #subject(uploadId: string) {
    return { Bucket: this.#place.bucket, Key: this.#key, UploadId: uploadId };
  }

  #abortable(): { abortSignal?: AbortSignal } {
    return this.#signal === undefined ? {} : { abortSignal: this.#signal };
  }
}

function completedPart(part: Part): CompletedPart {
  return {
    PartNumber: part.number,
    ETag: part.etag,
    ...(part.checksum === undefined ? {} : { ChecksumCRC32: part.checksum }),
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
