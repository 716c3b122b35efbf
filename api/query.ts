import { z } from 'zod';

export type QueryValue = string | number | boolean | readonly (string | number)[];
/** A query as a client writes it; a list repeats its parameter, what is undefined is left out. */
export type QueryInput<K extends string = string> = Readonly<Partial<Record<K, QueryValue | undefined>>>;

/** A query as parameters, in the order given. */
export function searchParams(query: URLSearchParams | QueryInput): URLSearchParams {
  if (query instanceof URLSearchParams) return query;
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [value].flat().map((each): [string, string] => [key, String(each)]),
  );
  return new URLSearchParams(pairs);
}

/**
 * The schema of a query that is read by hand, because its grammar is the original's: repeated parameters, operators inside of values,
 * any property's name.
 * @param names parameters that mean something, for clients and for the reference page
 */
export function queryOf<const N extends string, T>(names: readonly N[], read: (query: URLSearchParams) => T) {
  return z
    .custom<QueryInput<N> | URLSearchParams>()
    .transform((query) => read(searchParams(query)))
    .meta({ parameters: names });
}
