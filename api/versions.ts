/**
 * The versions document (contract: README.md "Versions"): which minor versions are listed follows from what is switched on;
 * order and CURRENT are the original's.
 */
interface Minor {
  readonly id: string;
  readonly status: 'CURRENT' | 'SUPPORTED';
}

const SINCE_2_0_TO_2_7 = [7, 6, 5, 4, 3, 2, 1, 0];
/** Cache off, several stores. Minor 2.14, 2.16 and 2.18 are the cache. */
const WITHOUT_CACHE = [15, 13, 12, 11, 10, 9, 8, 17, ...SINCE_2_0_TO_2_7];
const WITH_CACHE = [18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, ...SINCE_2_0_TO_2_7];

function minors(cache: boolean): Minor[] {
  const current = cache ? 18 : 17;
  return (cache ? WITH_CACHE : WITHOUT_CACHE).map((minor) => ({
    id: `v2.${minor}`,
    status: minor === current ? 'CURRENT' : 'SUPPORTED',
  }));
}

/** Body of `GET /` and `GET /versions`. `baseUrl` has no slash at the end. */
export function versionsView(baseUrl: string, cache = false) {
  const links = [{ rel: 'self', href: `${baseUrl}/v2/` }];
  return { versions: minors(cache).map(({ id, status }) => ({ id, status, links })) };
}

/** What the first path segment asks for. */
export type Selection =
  | { readonly kind: 'api'; readonly path: string }
  | { readonly kind: 'versions'; readonly status: 200 | 300 };

/**
 * Version negotiation: `/v2` and every listed `/v2.N` are the API, `/versions` the document, everything else multiple
 * choices, unless Accept names the version.
 */
export function selectVersion(path: string, accept: string | undefined, cache = false): Selection {
  const [, first = '', ...rest] = path.split('/');
  if (first === 'versions') return { kind: 'versions', status: 200 };
  if (isApiVersion(first, cache)) return { kind: 'api', path: ['/v2', ...rest].join('/') };
  const named = /^application\/vnd\.openstack\.images-(v2(?:\.\d+)?)$/.exec(accept?.trim() ?? '')?.[1];
  if (named !== undefined && isApiVersion(named, cache) && !/^v\d/.test(first))
    return { kind: 'api', path: `/v2${path}` };
  return { kind: 'versions', status: 300 };
}

function isApiVersion(segment: string, cache: boolean): boolean {
  return segment === 'v2' || minors(cache).some(({ id }) => id === segment);
}
