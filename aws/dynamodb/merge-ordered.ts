/** Several ordered streams made one: lazily, each read only as far as needed; what two streams both hold comes once. */
interface Identified {
  readonly id: string;
  /** False: it only marks how far its stream has come. A stream that holds little for its length thus costs no more than the page. */
  readonly listed?: boolean;
}

export async function* mergeOrdered<T extends Identified>(
  streams: readonly AsyncGenerator<T>[],
  compare: (a: T, b: T) => number,
): AsyncGenerator<T> {
  // All first reads go out together: a page costs one round trip, not one per stream.
  const heads: Head<T>[] = await Promise.all(streams.map(async (stream) => ({ stream, head: await stream.next() })));
  let last: string | undefined;
  for (;;) {
    const least = leastOf(heads, compare);
    if (least?.head.done !== false) return;
    const { value } = least.head;
    if (value.listed !== false && value.id !== last) {
      yield value;
      last = value.id;
    }
    least.head = await least.stream.next();
  }
}

interface Head<T> {
  readonly stream: AsyncGenerator<T>;
  head: IteratorResult<T, unknown>;
}

/** The stream whose head comes first; undefined when all are at their end. */
function leastOf<T>(heads: readonly Head<T>[], compare: (a: T, b: T) => number): Head<T> | undefined {
  let least: Head<T> | undefined;
  for (const each of heads) {
    if (each.head.done === true) continue;
    if (least === undefined || least.head.done === true || compare(each.head.value, least.head.value) < 0) least = each;
  }
  return least;
}

/**
 * The first `limit` of everything the streams hold, in order. Memory is bounded by the limit.
 * @returns `more` is true when the page is full
 */
export async function topOf<T extends Identified>(
  streams: readonly AsyncGenerator<T>[],
  compare: (a: T, b: T) => number,
  limit: number,
): Promise<{ readonly images: readonly T[]; readonly more: boolean }> {
  const best = new Map<string, T>();
  const shrink = () => {
    const ordered = [...best.values()].sort(compare).slice(0, limit);
    best.clear();
    for (const value of ordered) best.set(value.id, value);
    return ordered;
  };
  await Promise.all(
    streams.map(async (stream) => {
      for await (const value of stream) {
        best.set(value.id, value);
        if (best.size > 4 * limit + 1_000) shrink();
      }
    }),
  );
  const images = shrink();
  return { images, more: images.length === limit };
}
