import type { NamedGrant } from '../../core/identity/grants.ts';
import type { Credential, Domain, Grant, Project, Role, User } from '../../core/identity/records.ts';
import type { ValidToken } from '../../core/identity/repository.ts';
import type {
  AssignmentView,
  Catalog,
  CredentialView,
  DomainView,
  ProjectView,
  RoleView,
  TokenAnswer,
  UserView,
} from './answers.ts';

/** What clients see of identity records (contract: identity.md sections 1, 2 and 4). `base` is `…/identity/v3`. */

/** Keystone writes microseconds. */
function keystoneTime(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000Z');
}

/** @param base URL of the identity service without version, no slash at the end. */
export function versionView(base: string) {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${base}/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  };
}

export interface CatalogPlace {
  readonly region: string;
  /** Unversioned: clients add `/v2` themselves or discover. */
  readonly imageUrl: string;
  readonly identityUrl: string;
  /** A Barbican that certificates of signatures are in. */
  readonly keyManagerUrl?: string | undefined;
  /** Image services of other regions. */
  readonly peers: readonly { readonly region: string; readonly imageUrl: string }[];
}

/** Both services at every interface, the image service in other regions too, and a key manager where there is one. */
export function catalogView({ region, imageUrl, identityUrl, keyManagerUrl, peers }: CatalogPlace): Catalog {
  const endpoints = (id: string, place: string, url: string) =>
    ['public', 'internal', 'admin'].map((kind) => ({
      id: `${id}-${kind}`,
      interface: kind,
      region: place,
      region_id: place,
      url,
    }));
  const others = peers.flatMap((peer) => endpoints(`glance-${peer.region}`, peer.region, peer.imageUrl));
  const service = (type: string, name: string, url: string, more: typeof others = []) => ({
    id: name,
    type,
    name,
    endpoints: [...endpoints(name, region, url), ...more],
  });
  return [
    service('image', 'glance', imageUrl, others),
    service('identity', 'keystone', identityUrl),
    ...(keyManagerUrl === undefined ? [] : [service('key-manager', 'barbican', keyManagerUrl)]),
  ];
}

/** @param catalog left out for an unscoped token and for `?nocatalog`. */
export function tokenView(token: ValidToken, catalog: Catalog | undefined): TokenAnswer {
  const isScoped = token.project !== null || token.domain !== null || token.system !== null;
  return {
    token: {
      methods: token.methods,
      user: { ...token.user, password_expires_at: null },
      audit_ids: token.auditIds,
      issued_at: keystoneTime(token.issuedAtMs),
      expires_at: keystoneTime(token.expiresAtMs),
      ...(token.project && { project: token.project, is_domain: false }),
      ...(token.domain && { domain: token.domain }),
      ...(token.system && { system: { all: true } }),
      ...(isScoped && { roles: token.roles }),
      ...(isScoped && catalog && { catalog }),
      ...(token.credential && { application_credential: token.credential }),
    },
  };
}

export const domainView = ({ id, name, description, enabled }: Domain, base: string): DomainView => ({
  id,
  name,
  description,
  enabled,
  tags: [],
  options: {},
  links: { self: `${base}/domains/${id}` },
});

export const projectView = (
  { id, name, domainId, description, enabled, tags }: Project,
  base: string,
): ProjectView => ({
  id,
  name,
  domain_id: domainId,
  description,
  enabled,
  parent_id: domainId,
  is_domain: false,
  tags,
  options: {},
  links: { self: `${base}/projects/${id}` },
});

export const userView = (
  { id, name, domainId, enabled, email, description, defaultProjectId }: User,
  base: string,
): UserView => ({
  id,
  name,
  domain_id: domainId,
  enabled,
  ...(email !== null && { email }),
  ...(description !== null && { description }),
  ...(defaultProjectId !== null && { default_project_id: defaultProjectId }),
  password_expires_at: null,
  options: {},
  links: { self: `${base}/users/${id}` },
});

export const roleView = ({ id, name, description }: Role, base: string): RoleView => ({
  id,
  name,
  domain_id: null,
  description,
  options: {},
  links: { self: `${base}/roles/${id}` },
});

/** @param secret only in the answer that made it. */
export const credentialView = (
  credential: Credential,
  roles: readonly Role[],
  base: string,
  secret?: string,
): CredentialView => ({
  id: credential.id,
  name: credential.name,
  description: credential.description,
  user_id: credential.userId,
  project_id: credential.projectId,
  roles: roles.map(({ id, name }) => ({ id, name, domain_id: null })),
  expires_at: credential.expiresAtMs === null ? null : keystoneTime(credential.expiresAtMs).replace('Z', ''),
  unrestricted: credential.unrestricted,
  system: null,
  ...(secret !== undefined && { secret }),
  links: { self: `${base}/users/${credential.userId}/application_credentials/${credential.id}` },
});

/** With names when the grant has them. */
export const assignmentView = (grant: Grant & Partial<NamedGrant>, base: string): AssignmentView => {
  const { userId, roleId, scope, user, role } = grant;
  return {
    user: user ?? { id: userId },
    role: role ?? { id: roleId },
    scope: scopeView(grant),
    links: { assignment: `${base}${assignmentPath(scope)}/users/${userId}/roles/${roleId}` },
  };
};

function scopeView({ scope, target }: Grant & Partial<NamedGrant>): AssignmentView['scope'] {
  if (scope.kind === 'system') return { system: { all: true } };
  const place = target ?? { id: scope.id };
  return scope.kind === 'project' ? { project: place } : { domain: place };
}

const assignmentPath = ({ kind, id }: Grant['scope']): string => (kind === 'system' ? '/system' : `/${kind}s/${id}`);

/** Links of a whole list: there are no further pages. */
export const listLinks = (self: string) => ({ self, previous: null, next: null });
