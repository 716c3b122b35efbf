/** Queries and headers of identity requests (contract: identity.md sections 3 to 5). Of a repeated parameter the first counts. */
import { z } from 'zod';
import type { ListFilter } from '../../core/identity/directory.ts';
import type { GrantFilter } from '../../core/identity/grants.ts';
import type { GrantScope } from '../../core/identity/records.ts';
import { queryOf } from '../query.ts';

const OFF = ['false', '0', 'no', 'off'];

/** Of a list of domains, projects, users or roles. */
export const RecordQuery = queryOf(['name', 'domain_id', 'enabled'], (query): ListFilter => {
  const enabled = query.get('enabled');
  return {
    name: query.get('name') ?? undefined,
    domainId: query.get('domain_id') ?? undefined,
    ...(enabled === null ? {} : { enabled: !OFF.includes(enabled.toLowerCase()) }),
  };
});

export const NameQuery = queryOf(['name'], (query) => query.get('name') ?? undefined);

const GRANT_PARAMETERS = [
  'user.id',
  'role.id',
  'scope.project.id',
  'scope.domain.id',
  'scope.system',
  'include_names',
] as const;

/** Of a list of role assignments. */
export const GrantQuery = queryOf(
  GRANT_PARAMETERS,
  (query): { readonly filter: GrantFilter; readonly withNames: boolean } => ({
    filter: {
      userId: query.get('user.id') ?? undefined,
      roleId: query.get('role.id') ?? undefined,
      scope: scopeOf(query.get('scope.project.id'), query.get('scope.domain.id'), query.has('scope.system')),
    },
    withNames: query.has('include_names') && !/^(0|false)$/i.test(query.get('include_names') ?? ''),
  }),
);

function scopeOf(project: string | null, domain: string | null, isSystem: boolean): GrantScope | undefined {
  if (project !== null) return { kind: 'project', id: project };
  if (domain !== null) return { kind: 'domain', id: domain };
  return isSystem ? { kind: 'system', id: 'all' } : undefined;
}

/** Of making or looking at a token. */
export const TokenQuery = queryOf(['nocatalog', 'allow_expired'], (query) => ({
  withCatalog: !query.has('nocatalog'),
  allowExpired: isTrue(query.get('allow_expired')),
}));

function isTrue(value: string | null): boolean {
  return value === '1' || value?.toLowerCase() === 'true';
}

/** The token that is looked at. */
export const SubjectHeader = z.object({ 'x-subject-token': z.string().optional() });
