import type { z } from 'zod';
import type { Caller } from '../core/identity/caller.ts';
import type { Operation } from './routes.ts';

/** A request as operations see it: path decoded, caller known, nothing parsed that nobody asked for. */
export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly caller: Caller;
  /** Scheme and host that clients use, no slash at the end. */
  readonly baseUrl: string;
  /** The body as JSON. @throws InvalidInput when it is missing or malformed */
  json(): unknown;
  /** The body as JSON of a shape. @throws InvalidInput naming the first field that does not fit */
  parse<T>(schema: z.ZodType<T>): T;
}

/** An operation: a parsed request in, the JSON value of the answer out (undefined for 202 and 204). */
export type Handler = (request: ApiRequest) => Promise<unknown>;

/** Implementations of a set of operations; the compiler asks for the missing ones. */
export type Handlers<O extends Operation> = { readonly [K in O]: Handler };
