import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { Bucket } from './store/store.ts';
import { parseXml } from './xml.ts';

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD']);

interface CorsRule {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  readonly maxAgeSeconds: string | undefined;
}

/** A pattern with at most one `*`, as S3 allows in origins and headers. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star === -1) return pattern === text;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}

/** The rules of a CORSConfiguration document. Throws MalformedXML when a rule lacks origin or method. */
export function parseCors(document: string): CorsRule[] {
  const rules = parseXml(document, 'CORSConfiguration').list('CORSRule');
  if (rules.length === 0) throw new S3Error('MalformedXML');
  return rules.map((rule) => {
    const texts = (name: string): string[] => rule.list(name).map((node) => node.content());
    const parsed = {
      origins: texts('AllowedOrigin'),
      methods: texts('AllowedMethod'),
      headers: texts('AllowedHeader').map((header) => header.toLowerCase()),
      exposed: texts('ExposeHeader'),
      maxAgeSeconds: rule.text('MaxAgeSeconds'),
    };
    if (parsed.origins.length === 0 || parsed.methods.length === 0) throw new S3Error('MalformedXML');
    const unknown = parsed.methods.find((method) => !METHODS.has(method));
    if (unknown !== undefined)
      throw new S3Error(
        'InvalidRequest',
        `Found unsupported HTTP method in CORS config. Unsupported method is ${unknown}`,
      );
    return parsed;
  });
}

/** The rule of a bucket that lets pages of an origin send a method with the headers that they ask for; undefined: none does. */
export function corsRuleFor(
  bucket: Bucket | undefined,
  origin: string,
  method: string,
  asked: readonly string[],
): CorsRule | undefined {
  const document = bucket?.record.cors;
  if (document === undefined) return undefined;
  return parseCors(document).find(
    ({ origins, methods, headers }) =>
      origins.some((pattern) => matches(pattern, origin)) &&
      methods.includes(method) &&
      asked.every((header) => headers.some((pattern) => matches(pattern, header))),
  );
}

function headersFor(
  bucket: Bucket | undefined,
  origin: string,
  method: string,
  asked: readonly string[],
): Record<string, string> | undefined {
  const rule = corsRuleFor(bucket, origin, method, asked);
  if (rule === undefined) return undefined;
  const any = rule.origins.includes('*');
  return {
    'access-control-allow-origin': any ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(any ? {} : { 'access-control-allow-credentials': 'true' }),
    ...(asked.length > 0 ? { 'access-control-allow-headers': asked.join(', ') } : {}),
    ...(rule.exposed.length > 0 ? { 'access-control-expose-headers': rule.exposed.join(', ') } : {}),
    ...(rule.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': rule.maxAgeSeconds }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

/** CORS headers of an ordinary answer; none without an `Origin` that a rule allows. */
export function corsHeaders(bucket: Bucket | undefined, request: S3Request): Record<string, string> {
  const origin = request.header('origin');
  return (origin === undefined ? undefined : headersFor(bucket, origin, request.method, [])) ?? {};
}

const NOT_ALLOWED =
  'CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / ' +
  "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

/** The answer to a preflight. Throws BadRequest without an origin, AccessForbidden when no rule allows it. */
export function preflightHeaders(bucket: Bucket | undefined, request: S3Request): Record<string, string> {
  const origin = request.header('origin');
  const method = request.header('access-control-request-method') ?? request.method;
  if (origin === undefined) throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.');
  const resource = { Method: method, ResourceType: request.key === '' ? 'BUCKET' : 'OBJECT' };
  if (bucket?.record.cors === undefined) {
    const message = `CORSResponse: ${bucket === undefined ? 'Bucket not found' : 'CORS is not enabled for this bucket.'}`;
    throw new S3Error('AccessForbidden', message, {}, resource);
  }
  const asked = (request.header('access-control-request-headers') ?? '')
    .split(',')
    .map((header) => header.trim().toLowerCase())
    .filter((header) => header !== '');
  const headers = headersFor(bucket, origin, method, asked);
  if (headers === undefined) throw new S3Error('AccessForbidden', NOT_ALLOWED, {}, resource);
  return headers;
}
