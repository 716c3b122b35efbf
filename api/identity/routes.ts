import { at, type Route } from '../route.ts';
import {
  AssignmentsAnswer,
  CatalogAnswer,
  CredentialAnswer,
  CredentialsAnswer,
  DomainAnswer,
  DomainsAnswer,
  GroupsAnswer,
  ProjectAnswer,
  ProjectsAnswer,
  RoleAnswer,
  RolesAnswer,
  SystemAnswer,
  TokenAnswer,
  TokenHeaders,
  UserAnswer,
  UsersAnswer,
  VersionAnswer,
  VersionsAnswer,
  VersionsHeaders,
} from './answers.ts';
import { GrantQuery, NameQuery, RecordQuery, SubjectHeader, TokenQuery } from './queries.ts';
import {
  CredentialCreate,
  DomainCreate,
  DomainUpdate,
  PasswordChange,
  ProjectCreate,
  ProjectUpdate,
  RoleCreate,
  RoleUpdate,
  UserCreate,
  UserUpdate,
} from './schemas.ts';
import { TokenBody } from './token-request.ts';

const ROOT = '/identity';
const V3 = '/identity/v3';
const open = at('identity', 'none');
const known = at('identity', 'token');

/**
 * Operations of the embedded identity service, under `/identity` (contract: identity.md). A GET route also answers HEAD;
 * a slash at the end is ignored.
 */
export const IDENTITY_ROUTES = {
  listIdentityVersions: open('GET', ROOT, 300, { answer: VersionsAnswer, answerHeaders: VersionsHeaders }),
  showIdentityVersion: open('GET', `${ROOT}/v3`, 200, { answer: VersionAnswer }),

  createToken: open('POST', `${ROOT}/v3/auth/tokens`, 201, {
    query: TokenQuery,
    body: TokenBody,
    answer: TokenAnswer,
    answerHeaders: TokenHeaders,
  }),
  showToken: known('GET', `${V3}/auth/tokens`, 200, {
    query: TokenQuery,
    headers: SubjectHeader,
    answer: TokenAnswer,
    answerHeaders: TokenHeaders,
  }),
  checkToken: known('HEAD', `${V3}/auth/tokens`, 200, {
    query: TokenQuery,
    headers: SubjectHeader,
    answerHeaders: TokenHeaders,
  }),
  deleteToken: known('DELETE', `${V3}/auth/tokens`, 204, { query: TokenQuery, headers: SubjectHeader }),
  showCatalog: known('GET', `${V3}/auth/catalog`, 200, { answer: CatalogAnswer }),
  listAuthProjects: known('GET', `${V3}/auth/projects`, 200, { answer: ProjectsAnswer }),
  listAuthDomains: known('GET', `${V3}/auth/domains`, 200, { answer: DomainsAnswer }),
  listAuthSystem: known('GET', `${V3}/auth/system`, 200, { answer: SystemAnswer }),

  listDomains: known('GET', `${V3}/domains`, 200, { query: RecordQuery, answer: DomainsAnswer }),
  createDomain: known('POST', `${V3}/domains`, 201, { body: DomainCreate, answer: DomainAnswer }),
  showDomain: known('GET', `${V3}/domains/{id}`, 200, { answer: DomainAnswer }),
  updateDomain: known('PATCH', `${V3}/domains/{id}`, 200, { body: DomainUpdate, answer: DomainAnswer }),
  deleteDomain: known('DELETE', `${V3}/domains/{id}`, 204),
  listProjects: known('GET', `${V3}/projects`, 200, { query: RecordQuery, answer: ProjectsAnswer }),
  createProject: known('POST', `${V3}/projects`, 201, { body: ProjectCreate, answer: ProjectAnswer }),
  showProject: known('GET', `${V3}/projects/{id}`, 200, { answer: ProjectAnswer }),
  updateProject: known('PATCH', `${V3}/projects/{id}`, 200, { body: ProjectUpdate, answer: ProjectAnswer }),
  deleteProject: known('DELETE', `${V3}/projects/{id}`, 204),
  listUsers: known('GET', `${V3}/users`, 200, { query: RecordQuery, answer: UsersAnswer }),
  createUser: known('POST', `${V3}/users`, 201, { body: UserCreate, answer: UserAnswer }),
  showUser: known('GET', `${V3}/users/{id}`, 200, { answer: UserAnswer }),
  updateUser: known('PATCH', `${V3}/users/{id}`, 200, { body: UserUpdate, answer: UserAnswer }),
  deleteUser: known('DELETE', `${V3}/users/{id}`, 204),
  changePassword: known('POST', `${V3}/users/{id}/password`, 204, { body: PasswordChange }),
  listGroups: known('GET', `${V3}/groups`, 200, { query: RecordQuery, answer: GroupsAnswer }),
  listUserProjects: known('GET', `${V3}/users/{id}/projects`, 200, { answer: ProjectsAnswer }),
  listRoles: known('GET', `${V3}/roles`, 200, { query: RecordQuery, answer: RolesAnswer }),
  createRole: known('POST', `${V3}/roles`, 201, { body: RoleCreate, answer: RoleAnswer }),
  showRole: known('GET', `${V3}/roles/{id}`, 200, { answer: RoleAnswer }),
  updateRole: known('PATCH', `${V3}/roles/{id}`, 200, { body: RoleUpdate, answer: RoleAnswer }),
  deleteRole: known('DELETE', `${V3}/roles/{id}`, 204),

  listProjectRoles: known('GET', `${V3}/projects/{scope}/users/{user}/roles`, 200, { answer: RolesAnswer }),
  assignProjectRole: known('PUT', `${V3}/projects/{scope}/users/{user}/roles/{role}`, 204),
  checkProjectRole: known('HEAD', `${V3}/projects/{scope}/users/{user}/roles/{role}`, 204),
  unassignProjectRole: known('DELETE', `${V3}/projects/{scope}/users/{user}/roles/{role}`, 204),
  listDomainRoles: known('GET', `${V3}/domains/{scope}/users/{user}/roles`, 200, { answer: RolesAnswer }),
  assignDomainRole: known('PUT', `${V3}/domains/{scope}/users/{user}/roles/{role}`, 204),
  checkDomainRole: known('HEAD', `${V3}/domains/{scope}/users/{user}/roles/{role}`, 204),
  unassignDomainRole: known('DELETE', `${V3}/domains/{scope}/users/{user}/roles/{role}`, 204),
  listSystemRoles: known('GET', `${V3}/system/users/{user}/roles`, 200, { answer: RolesAnswer }),
  assignSystemRole: known('PUT', `${V3}/system/users/{user}/roles/{role}`, 204),
  checkSystemRole: known('HEAD', `${V3}/system/users/{user}/roles/{role}`, 204),
  unassignSystemRole: known('DELETE', `${V3}/system/users/{user}/roles/{role}`, 204),
  listRoleAssignments: known('GET', `${V3}/role_assignments`, 200, { query: GrantQuery, answer: AssignmentsAnswer }),

  listCredentials: known('GET', `${V3}/users/{user}/application_credentials`, 200, {
    query: NameQuery,
    answer: CredentialsAnswer,
  }),
  createCredential: known('POST', `${V3}/users/{user}/application_credentials`, 201, {
    body: CredentialCreate,
    answer: CredentialAnswer,
  }),
  showCredential: known('GET', `${V3}/users/{user}/application_credentials/{id}`, 200, { answer: CredentialAnswer }),
  deleteCredential: known('DELETE', `${V3}/users/{user}/application_credentials/{id}`, 204),
} as const satisfies Record<string, Route>;
