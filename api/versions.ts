/**
 * The versions document (contract: README.md "Versions"): only what is implemented is
 * listed, in the original's order.
 */
interface Minor {
  readonly id: string;
  readonly status: 'CURRENT' | 'SUPPORTED';
}

const SINCE_2_0_TO_2_7 = [7, 6, 5, 4, 3, 2, 1, 0];
/** Several stores, no cache (2.14, 2.16, 2.18): what is not there is not listed. */
const LISTED = [15, 13, 12, 11, 10, 9, 8, 17, ...SINCE_2_0_TO_2_7];
const CURRENT = 17;

const MINORS: readonly Minor[] = LISTED.map((minor) => ({
  id: `v2.${minor}`,
  status: minor === CURRENT ? 'CURRENT' : 'SUPPORTED',
}));

/** First segments of paths that are the API's: `v2`, `v2.17` … */
export const VERSION_SEGMENTS: readonly string[] = ['v2', ...MINORS.map(({ id }) => id)];

/** Body of `GET /` and `GET /versions`. `baseUrl` has no slash at the end. */
export function versionsView(baseUrl: string) {
  const links = [{ rel: 'self', href: `${baseUrl}/v2/` }];
  return { versions: MINORS.map(({ id, status }) => ({ id, status, links })) };
}

/** What the first path segment asks for. */
export type Selection =
  | { readonly kind: 'api'; readonly path: string }
  | { readonly kind: 'versions'; readonly status: 200 | 300 };

/**
 * Version negotiation: `/v2` and every listed `/v2.N` are the API, `/glimpse/v1` our own, `/versions` the document, everything else multiple
 * choices, unless Accept names the version.
 */
export function selectVersion(path: string, accept: string | undefined): Selection {
  const [, first = '', ...rest] = path.split('/');
  if (first === 'versions') return { kind: 'versions', status: 200 };
  if (first === 'glimpse' && rest[0] === 'v1') return { kind: 'api', path };
  if (isApiVersion(first)) return { kind: 'api', path: ['/v2', ...rest].join('/') };
  const named = /^application\/vnd\.openstack\.images-(v2(?:\.\d+)?)$/.exec(accept?.trim() ?? '')?.[1];
  if (named !== undefined && isApiVersion(named) && !/^v\d/.test(first)) return { kind: 'api', path: `/v2${path}` };
  return { kind: 'versions', status: 300 };
}

function isApiVersion(segment: string): boolean {
  return VERSION_SEGMENTS.includes(segment);
}
