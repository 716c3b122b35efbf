import type { IncomingMessage } from 'node:http';
import { corsRuleFor } from './cors.ts';
import { parseRequest, type S3Request } from './request.ts';
import { authorize, isSignedByKnown, type SignaturePolicy } from './signature.ts';
import type { Store } from './store/store.ts';

/**
 * Whether a page of another site may send this request: a part whose presigned URL is valid for just these headers, to a bucket whose CORS
 * rules name just this origin; or the preflight of one, which does nothing. Everything else of other sites stays out.
 */
export function isPartFrom(origin: string, message: IncomingMessage, store: Store, policy: SignaturePolicy): boolean {
  try {
    const request = parseRequest(message);
    if (!isPart(request) || !isNamed(origin, request, store)) return false;
    if (request.method === 'OPTIONS') return true;
    authorize(request, policy);
    return isSignedByKnown(request, policy);
  } catch {
    // Whatever is wrong with it: nothing that is let in.
    return false;
  }
}

const OF_PART = ['partNumber', 'uploadId', 'X-Amz-Signature'];

function isPart({ method, query, header }: S3Request): boolean {
  const asked = method === 'OPTIONS' ? header('access-control-request-method') : method;
  return asked === 'PUT' && OF_PART.every((name) => query.has(name));
}

function isNamed(origin: string, { bucket }: S3Request, store: Store): boolean {
  return corsRuleFor(store.buckets.get(bucket), origin, 'PUT', [])?.origins.includes(origin) === true;
}
