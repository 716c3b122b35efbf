import type { Grant, GrantScope, NamedRecords, RecordKind, Revocation } from './records.ts';

/** Identity records. Reads by id, name and user are strongly consistent; lists come from an index and may lag. */
export interface IdentityRepository {
  /** @throws Conflict when the id, or the name in its space, is taken. */
  create<K extends RecordKind>(kind: K, record: NamedRecords[K]): Promise<void>;
  get<K extends RecordKind>(kind: K, id: string): Promise<NamedRecords[K] | undefined>;
  findByName<K extends RecordKind>(kind: K, space: string, name: string): Promise<NamedRecords[K] | undefined>;
  /** Replaces `before` by `after` (same id), moving the name. @throws Conflict when the new name is taken; NotFound when it is gone. */
  replace<K extends RecordKind>(kind: K, before: NamedRecords[K], after: NamedRecords[K]): Promise<void>;
  /** Idempotent. Grants are removed by their own calls. */
  delete<K extends RecordKind>(kind: K, record: NamedRecords[K]): Promise<void>;
  /** All of a kind, by name; credentials: of one user. */
  list<K extends RecordKind>(kind: K, userId?: string): Promise<NamedRecords[K][]>;

  putGrant(grant: Grant): Promise<void>;
  /** False when there was none. */
  removeGrant(grant: Grant): Promise<boolean>;
  /** The grants of one user, strongly consistent. */
  grantsOf(userId: string): Promise<Grant[]>;
  grantsOn(scope: GrantScope): Promise<Grant[]>;
  allGrants(): Promise<Grant[]>;

  revoke(revocation: Revocation): Promise<void>;
  revocations(): Promise<Revocation[]>;

  /** Failed attempts counted under each key. */
  failures(keys: readonly string[]): Promise<number[]>;
  countFailure(key: string, expiresAtSeconds: number): Promise<void>;
}

export interface NamedThing {
  readonly id: string;
  readonly name: string;
}
export interface NamedInDomain extends NamedThing {
  readonly domain: NamedThing;
}

/** What a valid token says, whoever validated it. */
export interface ValidToken {
  readonly methods: readonly string[];
  readonly user: NamedInDomain;
  /** At most one of project, domain and system is set; none for an unscoped token. */
  readonly project: NamedInDomain | null;
  readonly domain: NamedThing | null;
  readonly system: 'all' | null;
  /** Implied roles expanded. */
  readonly roles: readonly NamedThing[];
  /** Own id, then the id of the first token of the chain when this one was made from another. */
  readonly auditIds: readonly string[];
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly credential: { readonly id: string; readonly name: string; readonly restricted: boolean } | null;
}

/** The one thing that API requests need of identity: embedded (identity.ts) or an existing Keystone (keystone/client.ts). */
export interface TokenValidator {
  /**
   * @param allowExpired takes a token that expired at most two days ago: for services that go on with a user's long job.
   * @throws Unauthenticated when the token is unknown, malformed, expired or revoked, or its user, project or roles are gone;
   *   BackendUnavailable when that cannot be found out.
   */
  validate(token: string, options?: { readonly allowExpired?: boolean }): Promise<ValidToken>;
}

/** How long after its end a token may still be validated with `allowExpired`: Keystone's `allow_expired_window`. Milliseconds. */
export const EXPIRED_WINDOW_MS = 48 * 3600 * 1000;
