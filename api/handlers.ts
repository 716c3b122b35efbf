import type { z } from 'zod';
import type { Caller } from '../core/identity/caller.ts';
import type { ValidToken } from '../core/identity/repository.ts';
import type { Route } from './route.ts';
import type { Operation, ROUTES } from './routes.ts';

type SchemaOf<T> = T extends z.ZodType
  ? T
  : T extends ((...settings: never[]) => infer S extends z.ZodType)
    ? S
    : never;
/** What a part of a row becomes when it is read, and what a client gives; never where the row does not have the part. */
type Read<R, K extends PropertyKey> = R extends { readonly [P in K]: infer T } ? z.output<SchemaOf<T>> : never;
export type Given<R, K extends PropertyKey> = R extends { readonly [P in K]: infer T } ? z.input<SchemaOf<T>> : never;

/** Who calls: as identity issued it for its own operations, as the image service judges it for all others. */
type CallerOf<R extends Route> = R['auth'] extends 'none'
  ? undefined
  : R['group'] extends 'identity'
    ? ValidToken
    : Caller;

/** A request as an operation sees it: typed by its row, and nothing parsed that nobody asked for. */
export interface ParsedRequest<R extends Route = Route> {
  readonly params: z.output<R['params']>;
  /** The headers that the row names. */
  readonly headers: Read<R, 'headers'>;
  readonly caller: CallerOf<R>;
  /** The query as it was sent, for links that repeat it. */
  readonly search: URLSearchParams;
  /** Path as it was sent, decoded. */
  readonly path: string;
  /** Scheme and host that clients use, no slash at the end. */
  readonly baseUrl: string;
  /** Address of the client. */
  readonly source: string;
  /** @throws InvalidInput naming the first parameter that does not fit */
  query(): Read<R, 'query'>;
  /** @throws InvalidInput when it is missing, malformed or does not fit; what else the schema's reader throws */
  body(): Read<R, 'body'>;
}
export type RequestOf<O extends Operation> = ParsedRequest<(typeof ROUTES)[O]>;

/** A value with the headers that its row names. */
export interface Reply<V, H> {
  readonly value: V;
  readonly headers: H;
}
// biome-ignore lint/suspicious/noConfusingVoidType: an operation without an answer is an async function that returns nothing
type BodyOfAnswer<R> = R extends { readonly answer: infer S extends z.ZodType } ? z.input<S> : void;
export type AnswerOfRoute<R> = R extends { readonly answerHeaders: infer H extends z.ZodType }
  ? Reply<BodyOfAnswer<R>, z.input<H>>
  : BodyOfAnswer<R>;
/** The JSON value of the answer; nothing for 202 and 204; with headers where the row names some. */
export type AnswerOf<O extends Operation> = AnswerOfRoute<(typeof ROUTES)[O]>;

/** Implementations of a set of operations, typed by the table; the compiler asks for the missing ones. */
export type Handlers<O extends Operation> = { readonly [K in O]: (request: RequestOf<K>) => Promise<AnswerOf<K>> };
