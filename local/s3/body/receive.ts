import {
  CHECKSUM_ALGORITHMS,
  checksumAlgorithm,
  checksumHeader,
  createHasher,
  type Hasher,
  isDigest,
} from '../checksum/algorithms.ts';
import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';
import { type ChunkVerifier, chunkVerifierOf } from '../signature.ts';
import type { Checksum, ChecksumAlgorithm, Segment } from '../store/model.ts';
import type { Store } from '../store/store.ts';
import { AwsChunkedDecoder } from './aws-chunked.ts';
import { BlobWriter } from './blob-writer.ts';

/** Largest single PUT or part, in bytes (S3's limit). */
export const MAX_PUT_BYTES = 5 * 1024 * 1024 * 1024;

/** Bodies up to this size get their MD5 as ETag; see operations/put-object.ts. */
const MD5_ETAG_BYTES = 1024 * 1024;

/** A body that is on disk, verified, and referred to by nobody yet. */
export interface ReceivedBody {
  readonly size: number;
  readonly segments: readonly Segment[];
  readonly etag: string;
  readonly checksum?: Checksum;
  /** Deletes the bytes again. */
  discard(): Promise<void>;
}

/** What the request says about its body. */
interface BodyPlan {
  readonly size: number;
  readonly chunked: boolean;
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** Checksum given up front, base64. */
  readonly expected: string | undefined;
  /** Name of the trailer that will carry the checksum. */
  readonly trailer: string | undefined;
  /** Content-MD5, base64. */
  readonly md5: string | undefined;
  /** Hex SHA-256 of the payload as signed; only looked at when signatures are verified. */
  readonly sha256: string | undefined;
}

function bodyLength(request: S3Request, chunked: boolean): number {
  const text = request.header(chunked ? 'x-amz-decoded-content-length' : 'content-length');
  if (text === undefined) throw new S3Error('MissingContentLength');
  const size = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(size))
    throw new S3Error('InvalidArgument', `bad body length "${text}"`);
  if (size > MAX_PUT_BYTES) throw new S3Error('EntityTooLarge');
  return size;
}

/** The checksum the request sends along, if any. Throws InvalidRequest for two, InvalidDigest for a malformed one. */
function givenChecksum(request: S3Request): { algorithm: ChecksumAlgorithm; value: string } | undefined {
  const given = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = request.header(checksumHeader(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (given.length > 1) throw new S3Error('InvalidRequest', 'Expecting a single x-amz-checksum- header');
  const [first] = given;
  if (first !== undefined && !isDigest(first.algorithm, first.value)) {
    throw new S3Error('InvalidRequest', `Value for ${checksumHeader(first.algorithm)} header is invalid.`);
  }
  return first;
}

function trailerOf(request: S3Request): { name: string; algorithm: ChecksumAlgorithm } | undefined {
  const name = request.header('x-amz-trailer')?.trim().toLowerCase();
  if (name === undefined) return undefined;
  const algorithm = CHECKSUM_ALGORITHMS.find((candidate) => checksumHeader(candidate) === name);
  if (algorithm === undefined)
    throw new S3Error('InvalidRequest', `The value specified in the x-amz-trailer header is not supported: ${name}`);
  return { name, algorithm };
}

function planOf(request: S3Request, verifying: boolean, wanted: ChecksumAlgorithm | undefined): BodyPlan {
  const payload = request.header('x-amz-content-sha256') ?? '';
  const chunked =
    payload.startsWith('STREAMING-') || (request.header('content-encoding') ?? '').includes('aws-chunked');
  const given = givenChecksum(request);
  const trailer = chunked ? trailerOf(request) : undefined;
  const md5 = request.header('content-md5');
  if (md5 !== undefined && Buffer.from(md5, 'base64').length !== 16)
    throw new S3Error('InvalidDigest', undefined, {}, { 'Content-MD5': md5 });
  const announced = checksumAlgorithm(request.header('x-amz-sdk-checksum-algorithm'));
  return {
    size: bodyLength(request, chunked),
    chunked,
    algorithm: given?.algorithm ?? trailer?.algorithm ?? wanted ?? announced,
    expected: given?.value,
    trailer: trailer?.name,
    md5,
    sha256: verifying && /^[0-9a-f]{64}$/.test(payload) ? payload : undefined,
  };
}

/** Digests of one body, each computed only if the plan asks for it. */
class BodyDigests {
  readonly #plan: BodyPlan;
  readonly #checksum: Hasher | undefined;
  readonly #md5: Hasher | undefined;
  readonly #sha256: Hasher | undefined;
  readonly #all: Hasher[];

  constructor(plan: BodyPlan) {
    this.#plan = plan;
    this.#checksum = plan.algorithm === undefined ? undefined : createHasher(plan.algorithm);
    this.#md5 = plan.md5 !== undefined || plan.size <= MD5_ETAG_BYTES ? createHasher('MD5') : undefined;
    this.#sha256 = plan.sha256 === undefined ? undefined : createHasher('SHA256');
    this.#all = [this.#checksum, this.#md5, this.#sha256].filter((hasher) => hasher !== undefined);
  }

  update(bytes: Buffer): void {
    for (const hasher of this.#all) hasher.update(bytes);
  }

  /** Compares with what the client promised. Throws BadDigest, XAmzContentSHA256Mismatch or InvalidRequest. */
  verify(trailers: ReadonlyMap<string, string>): { checksum?: Checksum; md5?: Buffer } {
    const { algorithm, trailer, md5, sha256 } = this.#plan;
    const digest = this.#md5?.digest();
    if (md5 !== undefined && digest?.toString('base64') !== md5) {
      const told = { ExpectedDigest: md5, CalculatedDigest: digest?.toString('base64') ?? '' };
      throw new S3Error('BadDigest', undefined, {}, told);
    }
    if (sha256 !== undefined && this.#sha256?.digest().toString('hex') !== sha256)
      throw new S3Error('XAmzContentSHA256Mismatch');
    const found = digest === undefined ? {} : { md5: digest };
    if (algorithm === undefined || this.#checksum === undefined) return found;
    const value = this.#checksum.digest().toString('base64');
    const promised = trailer === undefined ? this.#plan.expected : trailers.get(trailer);
    if (trailer !== undefined && promised === undefined)
      throw new S3Error('InvalidRequest', `The body lacks its trailer ${trailer}`);
    if (promised !== undefined && promised !== value) {
      throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
    }
    return { ...found, checksum: { algorithm, value, type: 'FULL_OBJECT' } };
  }
}

/** Streams the message into the writer; returns the trailers. Throws IncompleteBody when lengths disagree or the client left. */
async function pump(
  request: S3Request,
  plan: BodyPlan,
  take: (bytes: Buffer) => void,
  writer: BlobWriter,
  verifier: ChunkVerifier | undefined,
): Promise<ReadonlyMap<string, string>> {
  let received = 0;
  const accept = (bytes: Buffer): void => {
    received += bytes.length;
    if (received > plan.size) throw new S3Error('IncompleteBody', `more than the announced ${plan.size} bytes arrived`);
    take(bytes);
  };
  const decoder = plan.chunked ? new AwsChunkedDecoder(accept, verifier) : undefined;
  // The connection must outlive an error here: the client is owed the answer.
  const chunks: AsyncIterable<Buffer> = request.message.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    if (decoder === undefined) accept(chunk);
    else decoder.push(chunk);
    const room = writer.room();
    if (room !== undefined) await room;
  }
  decoder?.finish();
  if (received !== plan.size)
    throw new S3Error('IncompleteBody', `${received} of the announced ${plan.size} bytes arrived`);
  if (decoder !== undefined) verifier?.finish(decoder.trailers);
  return decoder?.trailers ?? new Map();
}

/**
 * Receives the body of a PUT into a new blob, decoding aws-chunked, computing and verifying what the request promises.
 * `wanted` asks for a checksum that the client did not send (parts of an upload with an algorithm).
 * On any error the bytes are gone again. Throws the S3 errors named above and whatever the disk says.
 */
export async function receiveBody(
  store: Store,
  request: S3Request,
  verifying: boolean,
  wanted?: ChecksumAlgorithm,
): Promise<ReceivedBody> {
  const plan = planOf(request, verifying, wanted);
  const digests = new BodyDigests(plan);
  const writer = new BlobWriter(store.blobs, store.fsync);
  const take = (bytes: Buffer): void => {
    digests.update(bytes);
    writer.push(bytes);
  };
  try {
    const trailers = await pump(request, plan, take, writer, verifying ? chunkVerifierOf(request) : undefined);
    const { checksum, md5 } = digests.verify(trailers);
    const segments = await writer.finish();
    return {
      size: plan.size,
      segments,
      etag: md5?.toString('hex') ?? opaqueEtag(segments),
      ...(checksum === undefined ? {} : { checksum }),
      discard: () => writer.discard(),
    };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** The blob's random id in the form of a one-part multipart ETag, which no client takes for an MD5. */
function opaqueEtag(segments: readonly Segment[]): string {
  return `${segments[0]?.[0] ?? ''}-1`;
}
