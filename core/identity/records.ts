/** The records behind the identity service (contract: identity.md sections 1-5). Ids are 32 hex digits, as Keystone's are. */

export interface Domain {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly tags: readonly string[];
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly enabled: boolean;
  readonly email: string | null;
  readonly description: string | null;
  readonly defaultProjectId: string | null;
  /** `scrypt$N$r$p$salt$hash` (password.ts); null: the user cannot log in by password. */
  readonly passwordHash: string | null;
}

export interface Role {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
}

/** A secret that stands for its user in one project, with at most the roles named (application credential of Keystone). */
export interface Credential {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly userId: string;
  readonly projectId: string;
  readonly roleIds: readonly string[];
  readonly secretHash: string;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAtMs: number | null;
  /** True: its tokens may make and delete credentials. */
  readonly unrestricted: boolean;
}

/** Records with an id and a name that is unique in a space: the domain of users and projects, the user of credentials. */
export interface NamedRecords {
  readonly domain: Domain;
  readonly project: Project;
  readonly user: User;
  readonly role: Role;
  readonly credential: Credential;
}
export type RecordKind = keyof NamedRecords;

/** Where a name must be unique; domains and roles share one space each. */
export const NAME_SPACE: { readonly [K in RecordKind]: (record: NamedRecords[K]) => string } = {
  domain: () => '',
  role: () => '',
  project: (project) => project.domainId,
  user: (user) => user.domainId,
  credential: (credential) => credential.userId,
};

/** What a role is held on. The one system is called `all`. */
export interface GrantScope {
  readonly kind: 'project' | 'domain' | 'system';
  readonly id: string;
}

/** One role of one user on one scope. */
export interface Grant {
  readonly userId: string;
  readonly roleId: string;
  readonly scope: GrantScope;
}

/** Everything issued for the subject at or before `issuedBeforeMs` is void. */
export interface Revocation {
  readonly subject: RevokedSubject;
  readonly issuedBeforeMs: number;
  /** Seconds since the epoch after which no token that it could void is alive. */
  readonly expiresAtSeconds: number;
}
/** `token:{audit id}`, `user:{id}`, `project:{id}` or `credential:{id}`. */
export type RevokedSubject = `${'token' | 'user' | 'project' | 'credential'}:${string}`;

export const DEFAULT_DOMAIN_ID = 'default';
