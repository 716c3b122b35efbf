import { z } from 'zod';
import type { Config } from '../core/config.ts';
import { asId } from '../core/images/ids.ts';

/** What a row of the route table is made of; the rows themselves are api/routes.ts. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
/** Which entry point answers: a Lambda group, or the streaming gateway for image bytes. */
export type Group = 'images' | 'identity' | 'metadefs' | 'gateway';
/** `none`: before authentication. `token`: any valid token, policy decides the rest. */
export type Auth = 'none' | 'token';

/** The settings that decide what a request may say. */
export type Settings = Pick<Config, 'limit_param_default' | 'api_limit_max' | 'image_format'>;
/** A schema, or the schema that the settings of a service make. Its input is what clients send, its output what operations see. */
export type Configured<S extends z.ZodType = z.ZodType> = S | ((settings: Settings) => S);

/** What a row says besides its first line; what is left out is not there: no query is read, no body is read, nothing is answered. */
export interface Shape {
  readonly query?: Configured;
  /** Headers that the operation reads, names in lower case. */
  readonly headers?: z.ZodType;
  /** `refused`: a body is answered with 400. Left out: it is ignored. */
  readonly body?: Configured | 'refused';
  /** The JSON of a success. */
  readonly answer?: z.ZodType;
  /** Other statuses of a success. */
  readonly also?: readonly number[];
  /** Headers of a success that carry what the body does not, names in lower case. */
  readonly answerHeaders?: z.ZodObject;
}

export interface Route extends Shape {
  readonly method: Method;
  /** As a client sends it; `{name}` is one decoded segment. */
  readonly path: string;
  readonly group: Group;
  readonly success: number;
  readonly auth: Auth;
  readonly params: z.ZodType;
}

/** The names between braces: `'/images/{id}/tags/{tag}'` → `'id' | 'tag'`. */
export type ParamNames<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;
export type ParamsSchema<P extends string> = z.ZodObject<{ [K in ParamNames<P>]: z.ZodString }>;

export function paramNames(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

/** UUIDs compare without case (RFC 9562); the records have them in lower case. */
const ID = z.string().overwrite(asId);

/** Path parameters are what the path says, so they are read from it. */
function paramsSchema<const P extends string>(path: P): ParamsSchema<P> {
  const shape = Object.fromEntries(paramNames(path).map((name) => [name, name === 'id' ? ID : z.string()]));
  // The type spells the same expression; the unit test of the route table compares both for every row.
  return z.object(shape) as unknown as ParamsSchema<P>;
}

/** Rows of one group: `at('images')('GET', '/v2/images/{id}', 200, { answer: Image })`. */
export function at<const G extends Group, const A extends Auth>(group: G, auth: A) {
  return <const M extends Method, const P extends string, const S extends Shape = Record<never, never>>(
    method: M,
    path: P,
    success: number,
    shape?: S,
    // Without a shape S is its default, which has no member: nothing is spread, and nothing is what the type says.
  ) => ({ method, path, group, success, auth, params: paramsSchema(path), ...(shape as S) });
}
