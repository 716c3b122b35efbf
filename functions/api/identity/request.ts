import type { z } from 'zod';
import type { IDENTITY_ROUTES } from '../../../api/identity/routes.ts';
import type { CatalogPlace } from '../../../api/identity/views.ts';
import type { Config } from '../../../core/config.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import type { ValidToken } from '../../../core/identity/repository.ts';
import type { Log } from '../../../core/log.ts';

export interface IdentityApiDeps {
  readonly config: Config;
  /** Absent where an existing Keystone issues the tokens: then every request is answered with its address. */
  readonly identity?: Identity;
  /** A UUID, for request ids. */
  readonly newId: () => string;
  readonly log: Log;
}

/** A request as identity operations see it. */
export interface IdentityRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Address of the client. */
  readonly source: string;
  /** URL of the service without version, and with it. No slash at the end. */
  readonly base: string;
  readonly v3: string;
  /** URL of this request without its query. */
  readonly self: string;
  readonly place: CatalogPlace;
  /** The token of X-Auth-Token. @throws Unauthenticated in operations that take none */
  readonly caller: ValidToken;
  /** @throws InvalidInput */
  parse<T>(schema: z.ZodType<T>): T;
}

/** `value` is the JSON body; absent: none. */
export interface IdentityReply {
  readonly value?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type IdentityOperation = keyof typeof IDENTITY_ROUTES;
export type IdentityHandler = (request: IdentityRequest) => Promise<IdentityReply>;
export type IdentityHandlers<O extends IdentityOperation> = { readonly [K in O]: IdentityHandler };
