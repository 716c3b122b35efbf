/** `first` and `next` of a list: relative paths that repeat what was asked (contract: README.md "Pagination"). */
export interface PageLinks {
  readonly first: string;
  readonly next?: string;
}

/** Every repeated parameter is kept, in its order; only the marker is replaced. */
export function pageLinks(path: string, query: URLSearchParams, nextMarker: string | undefined): PageLinks {
  const asked = new URLSearchParams(query);
  asked.delete('marker');
  const link = (parameters: URLSearchParams) => (parameters.size === 0 ? path : `${path}?${parameters}`);
  const first = link(asked);
  if (nextMarker === undefined) return { first };
  asked.append('marker', nextMarker);
  return { first, next: link(asked) };
}

/** The marker in a `next` link, for who asks for the next page by query; undefined on the last page. */
export function nextMarker(next: string | undefined): string | undefined {
  return new URLSearchParams(next?.split('?', 2)[1]).get('marker') ?? undefined;
}
