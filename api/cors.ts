/** CORS of the image service (contract: README.md "Authentication at the edge"): header lists are the original's defaults. */
const ALLOWED_HEADERS = [
  'Content-MD5',
  'X-Image-Meta-Checksum',
  'X-Storage-Token',
  'Accept-Encoding',
  'X-Auth-Token',
  'X-Identity-Status',
  'X-Roles',
  'X-Service-Catalog',
  'X-User-Id',
  'X-Tenant-Id',
  'X-OpenStack-Request-ID',
  'Content-Type',
].join(',');
const EXPOSED_HEADERS = [
  'X-Image-Meta-Checksum',
  'X-Auth-Token',
  'X-Subject-Token',
  'X-Service-Token',
  'X-OpenStack-Request-ID',
].join(',');
const METHODS = 'GET,PUT,POST,DELETE,PATCH';

/** Headers for an answer to a request from `origin`; none when the origin is not allowed. `*` allows every origin. */
export function corsHeaders(
  origin: string | undefined,
  allowedOrigins: readonly string[],
  preflight: boolean,
): Record<string, string> {
  if (origin === undefined || !(allowedOrigins.includes(origin) || allowedOrigins.includes('*'))) return {};
  return {
    'access-control-allow-origin': origin,
    vary: 'Origin',
    ...(preflight
      ? {
          'access-control-allow-methods': METHODS,
          'access-control-allow-headers': ALLOWED_HEADERS,
          'access-control-max-age': '3600',
        }
      : { 'access-control-expose-headers': EXPOSED_HEADERS }),
  };
}
