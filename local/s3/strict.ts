/**
 * S3 on its hard days and within its limits: a bucket answers in its own region only, copies take time and have bounds, requests are
 * told to slow down. Off unless asked for. Source: Amazon S3 API Reference, "Error responses", CopyObject, UploadPartCopy, CreateBucket.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Chance, chance } from '../wire/chance.ts';
import { signerOf } from './access.ts';
import { MAX_PUT_BYTES } from './body/receive.ts';
import { S3Error } from './errors.ts';
import type { Reply, S3Request } from './request.ts';
import type { BucketRecord } from './store/model.ts';

/** How hard the world is. */
export interface StrictS3Options {
  /** Refuse what is signed for, or sent to, another region than the bucket's; default true. */
  readonly regions?: boolean;
  /** All requests come through a gateway endpoint of a VPC, which copies within its region only; default false. */
  readonly vpcEndpoint?: boolean;
  /** Most bytes of one copy request; S3's 5 GiB by default. */
  readonly maxCopyBytes?: number;
  /** Milliseconds that copying one MiB takes; default 0. */
  readonly copyMsPerMib?: number;
  /** Share of requests, 0 to 1, with which a run of 503 SlowDown begins; default 0. */
  readonly slowDownRate?: number;
  /** Requests of such a run; default 1. */
  readonly slowDownBurst?: number;
  /** The same seed is the same chance; default 1. */
  readonly seed?: number;
}

/** What was asked for by one operation; `failures` by error code. Bytes are those of bodies, without headers. */
export interface OperationReport {
  readonly operation: string;
  readonly requests: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly copiedBytes: number;
  readonly failures: Readonly<Record<string, number>>;
}

const MIB = 1024 * 1024;

/** A range is copied only from an object larger than this. */
const MIN_RANGE_SOURCE_BYTES = 5 * MIB;

type Counted = { -readonly [K in keyof OperationReport]: OperationReport[K] } & { failures: Record<string, number> };

/** The switches of one server, and its counts. */
export class StrictS3 {
  /** Most bytes of one copy request. */
  readonly maxCopyBytes: number;
  readonly #options: StrictS3Options;
  readonly #chance: Chance;
  readonly #operations = new Map<string, Counted>();
  #slowDowns = 0;

  constructor(options: StrictS3Options) {
    this.#options = options;
    this.maxCopyBytes = options.maxCopyBytes ?? MAX_PUT_BYTES;
    this.#chance = chance(options.seed);
  }

  /** Throws SlowDown by chance; PermanentRedirect and AuthorizationHeaderMalformed for a bucket of another region. */
  checkRequest(request: S3Request, bucket: BucketRecord | undefined): void {
    if (this.#slowDowns > 0) this.#slowDowns--;
    else if (this.#chance(this.#options.slowDownRate ?? 0)) this.#slowDowns = (this.#options.slowDownBurst ?? 1) - 1;
    else {
      if (bucket !== undefined && this.#options.regions !== false) checkRegion(request, bucket);
      return;
    }
    throw new S3Error('SlowDown');
  }

  /** Throws AccessDenied for what a VPC's gateway endpoint does not carry. */
  checkCopySource(source: BucketRecord, target: BucketRecord): void {
    if (this.#options.vpcEndpoint === true && source.region !== target.region)
      throw new S3Error('AccessDenied', 'VPC endpoints do not support cross-region requests');
  }

  /** Throws InvalidRequest for a range of a source that is too small for one. */
  checkCopyRange(sourceBytes: number): void {
    if (sourceBytes <= MIN_RANGE_SOURCE_BYTES)
      throw new S3Error('InvalidRequest', 'The specified copy source is not supported as a byte-range copy source.');
  }

  /** Throws IllegalLocationConstraintException: a region makes buckets of its own; us-east-1 makes those of all regions. */
  checkNewBucket(request: S3Request, constraint: string | undefined): void {
    const region = signerOf(request)?.region ?? 'us-east-1';
    if (this.#options.regions === false || region === 'us-east-1' || region === constraint) return;
    throw new S3Error(
      'IllegalLocationConstraintException',
      `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  }

  /** Waits as long as copying so many bytes takes. */
  async copying(bytes: number): Promise<void> {
    const ms = ((this.#options.copyMsPerMib ?? 0) * bytes) / MIB;
    if (ms >= 1) await sleep(ms);
  }

  count(operation: string, request: S3Request, reply: Reply): void {
    const counted = this.#counted(operation);
    counted.requests++;
    const declared = request.header('x-amz-decoded-content-length') ?? request.header('content-length');
    counted.receivedBytes += Number(declared ?? 0);
    counted.sentBytes += reply.slice?.length ?? Buffer.byteLength(reply.body ?? '');
    counted.copiedBytes += reply.copiedBytes ?? 0;
  }

  countFailure(operation: string, error: unknown): void {
    const counted = this.#counted(operation);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'InternalError';
    counted.requests++;
    counted.failures[code] = (counted.failures[code] ?? 0) + 1;
  }

  /** Every operation that was asked for, by name. */
  report(): OperationReport[] {
    return [...this.#operations.values()].sort((a, b) => (a.operation < b.operation ? -1 : 1));
  }

  /** Counts anew. */
  reset(): void {
    this.#operations.clear();
  }

  #counted(operation: string): Counted {
    const fresh = { operation, requests: 0, receivedBytes: 0, sentBytes: 0, copiedBytes: 0, failures: {} };
    const counted = this.#operations.get(operation) ?? fresh;
    this.#operations.set(operation, counted);
    return counted;
  }
}

/** A region's endpoint is told by the host `s3.{region}.…`; under any other host it is the one that the request is signed for. */
function checkRegion(request: S3Request, { name, region }: BucketRecord): void {
  const headers = { 'x-amz-bucket-region': region };
  const endpoint = /^s3[.-]([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(request.header('host') ?? '')?.[1];
  if (endpoint !== undefined && endpoint !== region)
    throw new S3Error('PermanentRedirect', undefined, headers, {
      Bucket: name,
      Endpoint: `s3.${region}.amazonaws.com`,
    });
  const signed = signerOf(request)?.region;
  if (signed !== undefined && signed !== region)
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${signed}' is wrong; expecting '${region}'`,
      headers,
      { Region: region },
    );
}
