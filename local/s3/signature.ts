import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ChunkObserver } from './body/aws-chunked.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const EMPTY_SHA256 = createHash('sha256').digest('hex');

/** Longest life of a presigned URL, in seconds (S3's limit). */
const MAX_EXPIRES_SECONDS = 7 * 24 * 3600;

/** How far a signed request's clock may be off, in milliseconds (S3's limit). */
const MAX_SKEW_MS = 15 * 60 * 1000;

/** Which secrets are known, and how strict to be. */
export interface SignaturePolicy {
  /** Access key id to secret. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Check header signatures, payload hashes and chunk signatures too, and refuse anonymous requests and unknown keys. */
  readonly verifySignatures: boolean;
  readonly clock: () => number;
  /** Of keys that have none of their own: roles' names, under identity policies. */
  readonly otherSecret?: string | undefined;
}

const secretOf = ({ credentials, otherSecret }: SignaturePolicy, accessKeyId: string): string | undefined =>
  Object.hasOwn(credentials, accessKeyId) ? credentials[accessKeyId] : otherSecret;

/** Whether a presigned request that `authorize` let pass was signed by a key whose secret is known: others are taken as given. */
export const isSignedByKnown = (request: S3Request, policy: SignaturePolicy): boolean => {
  const by = presignedBy(request);
  return by !== undefined && secretOf(policy, by.accessKeyId) !== undefined;
};

/** The parts of a version 4 signature, wherever it stood. */
interface SignedBy {
  readonly accessKeyId: string;
  /** `date/region/service/aws4_request`. */
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20260102T030405Z`. */
  readonly amzDate: string;
  readonly payloadHash: string;
  readonly presigned: boolean;
}

/** Checks the signatures of the chunks of one signed aws-chunked body. Throws SignatureDoesNotMatch at the bad chunk. */
export interface ChunkVerifier extends ChunkObserver {
  /** Checks the signature over the trailers, if the scheme has one. */
  finish(trailers: ReadonlyMap<string, string>): void;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Percent-encodes as signature version 4 demands: everything but unreserved characters. */
function awsEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function signingKey(secret: string, scope: string): Buffer {
  const [date = '', region = '', service = '', terminator = ''] = scope.split('/');
  return [region, service, terminator].reduce((key, part) => hmac(key, part), hmac(`AWS4${secret}`, date));
}

function canonicalRequest(request: S3Request, by: SignedBy): string {
  const path = request.path.split('/').map(awsEncode).join('/');
  const query = [...request.query]
    .filter(([name]) => !(by.presigned && name === 'X-Amz-Signature'))
    .map(([name, value]) => `${awsEncode(name)}=${awsEncode(value)}`)
    .sort()
    .join('&');
  const headers = by.signedHeaders
    .map((name) => `${name}:${(request.header(name) ?? '').trim().replace(/ +/g, ' ')}\n`)
    .join('');
  return [request.method, path, query, headers, by.signedHeaders.join(';'), by.payloadHash].join('\n');
}

function parseTime(amzDate: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate);
  if (match === null)
    throw new S3Error('AuthorizationQueryParametersError', 'X-Amz-Date must be in the ISO8601 Long Format');
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

function splitCredential(credential: string): { accessKeyId: string; scope: string } {
  const parts = credential.split('/');
  return { accessKeyId: parts.slice(0, -4).join('/'), scope: parts.slice(-4).join('/') };
}

function presignedBy(request: S3Request): SignedBy | undefined {
  const query = request.query;
  if (query.has('Signature') || query.has('AWSAccessKeyId'))
    throw new S3Error('InvalidRequest', 'Please use AWS4-HMAC-SHA256.');
  if (!query.has('X-Amz-Algorithm') && !query.has('X-Amz-Signature')) return undefined;
  for (const name of ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature']) {
    if (!query.has(`X-Amz-${name}`)) throw new S3Error('AuthorizationQueryParametersError', `X-Amz-${name} is missing`);
  }
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) {
    throw new S3Error('AuthorizationQueryParametersError', `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  return {
    ...splitCredential(query.get('X-Amz-Credential') ?? ''),
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
    amzDate: query.get('X-Amz-Date') ?? '',
    payloadHash: query.get('X-Amz-Content-Sha256') ?? request.header('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
    presigned: true,
  };
}

function headerSignedBy(request: S3Request): SignedBy | undefined {
  const header = request.header('authorization');
  if (header === undefined) return undefined;
  const match = /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)$/.exec(
    header,
  );
  if (match === null)
    throw new S3Error('InvalidRequest', 'The authorization mechanism you have provided is not supported.');
  return {
    ...splitCredential(match[1] ?? ''),
    signedHeaders: (match[2] ?? '').split(';'),
    signature: match[3] ?? '',
    amzDate: request.header('x-amz-date') ?? '',
    payloadHash: request.header('x-amz-content-sha256') ?? EMPTY_SHA256,
    presigned: false,
  };
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function checkSignature(request: S3Request, by: SignedBy, secret: string): void {
  const text = [ALGORITHM, by.amzDate, by.scope, sha256(canonicalRequest(request, by))].join('\n');
  if (!by.signedHeaders.includes('host') || !by.amzDate.startsWith(by.scope.slice(0, 8)))
    throw new S3Error('SignatureDoesNotMatch');
  const key = signingKey(secret, by.scope);
  if (!same(hmac(key, text).toString('hex'), by.signature)) throw new S3Error('SignatureDoesNotMatch');
  seeds.set(request, { key, scope: by.scope, amzDate: by.amzDate, signature: by.signature });
}

/** Presigned requests: the window of validity. */
function checkExpiry(request: S3Request, by: SignedBy, nowMs: number): void {
  const expires = Number(request.query.get('X-Amz-Expires'));
  if (!Number.isInteger(expires) || expires < 1 || expires > MAX_EXPIRES_SECONDS) {
    throw new S3Error(
      'AuthorizationQueryParametersError',
      `X-Amz-Expires must be between 1 and ${MAX_EXPIRES_SECONDS} seconds`,
    );
  }
  const signedMs = parseTime(by.amzDate);
  if (nowMs > signedMs + expires * 1000) throw new S3Error('AccessDenied', 'Request has expired');
  if (nowMs < signedMs - MAX_SKEW_MS) throw new S3Error('AccessDenied', 'Request is not yet valid');
}

/**
 * Checks who signed. A presigned URL is always checked: expiry, and the signature when its access key is known. Header
 * signatures are checked only under `verifySignatures`; otherwise they are taken as given, like on any local emulator.
 * Source: AWS General Reference, "Signature Version 4". Throws AccessDenied, SignatureDoesNotMatch, InvalidAccessKeyId, ...
 */
export function authorize(request: S3Request, policy: SignaturePolicy): void {
  const presigned = presignedBy(request);
  if (presigned !== undefined) checkExpiry(request, presigned, policy.clock());
  const by = presigned ?? (policy.verifySignatures ? headerSignedBy(request) : undefined);
  if (by === undefined) {
    if (policy.verifySignatures) throw new S3Error('AccessDenied');
    return;
  }
  const secret = secretOf(policy, by.accessKeyId);
  if (secret === undefined) {
    if (policy.verifySignatures) throw new S3Error('InvalidAccessKeyId');
    return;
  }
  if (!by.presigned && Math.abs(policy.clock() - parseTime(by.amzDate)) > MAX_SKEW_MS)
    throw new S3Error('RequestTimeTooSkewed');
  checkSignature(request, by, secret);
}

/** What the first chunk signature continues from. */
interface Seed {
  readonly key: Buffer;
  readonly scope: string;
  readonly amzDate: string;
  readonly signature: string;
}

const seeds = new WeakMap<S3Request, Seed>();

/** The verifier for a body whose chunks are signed, or undefined for any other body or an unverified request. */
export function chunkVerifierOf(request: S3Request): ChunkVerifier | undefined {
  const scheme = request.header('x-amz-content-sha256') ?? '';
  const seed = seeds.get(request);
  if (seed === undefined || !scheme.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')) return undefined;
  let previous = seed.signature;
  let claimed = '';
  let hash = createHash('sha256');
  const check = (kind: string, tail: readonly string[], signature: string): void => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, seed.amzDate, seed.scope, previous, ...tail].join('\n');
    if (!same(hmac(seed.key, text).toString('hex'), signature)) throw new S3Error('SignatureDoesNotMatch');
    previous = signature;
  };
  return {
    begin(signature) {
      claimed = signature ?? '';
      hash = createHash('sha256');
    },
    data: (bytes) => void hash.update(bytes),
    end: () => check('PAYLOAD', [EMPTY_SHA256, hash.digest('hex')], claimed),
    finish(trailers) {
      if (!scheme.endsWith('-TRAILER')) return;
      const signed = [...trailers].filter(([name]) => name !== 'x-amz-trailer-signature');
      const canonical = signed.map(([name, value]) => `${name}:${value}\n`).join('');
      check('TRAILER', [sha256(canonical)], trailers.get('x-amz-trailer-signature') ?? '');
    },
  };
}
