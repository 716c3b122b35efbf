import type { Extent } from './image.ts';

/** Joins neighbouring extents that say the same, whatever steps the reader took. Order and cover are kept. */
export async function* mergeExtents(extents: AsyncIterable<Extent>): AsyncIterable<Extent> {
  let open: Extent | undefined;
  for await (const extent of extents) {
    if (extent.length <= 0) continue;
    if (open !== undefined && sameKind(open, extent)) open = { ...open, length: open.length + extent.length };
    else {
      if (open !== undefined) yield open;
      open = extent;
    }
  }
  if (open !== undefined) yield open;
}

function sameKind(a: Extent, b: Extent): boolean {
  return a.allocated === b.allocated && a.zero === b.zero && a.compressed === b.compressed;
}
