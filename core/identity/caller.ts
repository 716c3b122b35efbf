/** Who makes a request: the facts of a validated token that policy and ownership look at (contract: identity.md section 7). */
export interface Caller {
  readonly userId: string;
  readonly userName: string;
  readonly userDomainId: string;
  /** Null for unscoped, domain and system tokens. */
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly projectDomainId: string | null;
  readonly domainId: string | null;
  readonly systemScope: 'all' | null;
  /** Lower case, implied roles expanded. */
  readonly roles: readonly string[];
  /** Roles of a valid X-Service-Token; empty without one. */
  readonly serviceRoles: readonly string[];
  readonly serviceUserId: string | null;
  readonly serviceUserDomainId?: string | null;
  readonly serviceProjectId: string | null;
  readonly serviceProjectDomainId?: string | null;
  /** `context_is_admin` holds. */
  readonly isAdmin: boolean;
  /** True without a token, where `allow_anonymous_access` is on: every write is refused (403 "Read-only access"). */
  readonly isReadOnly?: boolean;
  /** As it came, for a service that is asked in the caller's name (a key manager); it goes into no record and no log. */
  readonly token?: string;
  /** `req-…`, answered as X-Openstack-Request-Id and stored on tasks. */
  readonly requestId: string;
}
