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
