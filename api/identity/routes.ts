/**
 * Operations of the embedded identity service, under `/identity` (contract: identity.md). A GET route also answers HEAD;
 * a slash at the end is ignored.
 */
type Verb = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const open = <M extends Verb, S extends number>(method: M, path: string, success: S) =>
  ({ method, path: `/identity${path}`, group: 'identity', success, auth: 'none' }) as const;
const known = <M extends Verb, S extends number>(method: M, path: string, success: S) =>
  ({ method, path: `/identity/v3${path}`, group: 'identity', success, auth: 'token' }) as const;

export const IDENTITY_ROUTES = {
  listIdentityVersions: open('GET', '', 300),
  showIdentityVersion: open('GET', '/v3', 200),

  createToken: open('POST', '/v3/auth/tokens', 201),
  showToken: known('GET', '/auth/tokens', 200),
  checkToken: known('HEAD', '/auth/tokens', 200),
  deleteToken: known('DELETE', '/auth/tokens', 204),
  showCatalog: known('GET', '/auth/catalog', 200),
  listAuthProjects: known('GET', '/auth/projects', 200),
  listAuthDomains: known('GET', '/auth/domains', 200),
  listAuthSystem: known('GET', '/auth/system', 200),

  listDomains: known('GET', '/domains', 200),
  createDomain: known('POST', '/domains', 201),
  showDomain: known('GET', '/domains/{id}', 200),
  updateDomain: known('PATCH', '/domains/{id}', 200),
  deleteDomain: known('DELETE', '/domains/{id}', 204),
  listProjects: known('GET', '/projects', 200),
  createProject: known('POST', '/projects', 201),
  showProject: known('GET', '/projects/{id}', 200),
  updateProject: known('PATCH', '/projects/{id}', 200),
  deleteProject: known('DELETE', '/projects/{id}', 204),
  listUsers: known('GET', '/users', 200),
  createUser: known('POST', '/users', 201),
  showUser: known('GET', '/users/{id}', 200),
  updateUser: known('PATCH', '/users/{id}', 200),
  deleteUser: known('DELETE', '/users/{id}', 204),
  changePassword: known('POST', '/users/{id}/password', 204),
  listUserProjects: known('GET', '/users/{id}/projects', 200),
  listRoles: known('GET', '/roles', 200),
  createRole: known('POST', '/roles', 201),
  showRole: known('GET', '/roles/{id}', 200),
  updateRole: known('PATCH', '/roles/{id}', 200),
  deleteRole: known('DELETE', '/roles/{id}', 204),

  listProjectRoles: known('GET', '/projects/{scope}/users/{user}/roles', 200),
  assignProjectRole: known('PUT', '/projects/{scope}/users/{user}/roles/{role}', 204),
  checkProjectRole: known('HEAD', '/projects/{scope}/users/{user}/roles/{role}', 204),
  unassignProjectRole: known('DELETE', '/projects/{scope}/users/{user}/roles/{role}', 204),
  listDomainRoles: known('GET', '/domains/{scope}/users/{user}/roles', 200),
  assignDomainRole: known('PUT', '/domains/{scope}/users/{user}/roles/{role}', 204),
  checkDomainRole: known('HEAD', '/domains/{scope}/users/{user}/roles/{role}', 204),
  unassignDomainRole: known('DELETE', '/domains/{scope}/users/{user}/roles/{role}', 204),
  listSystemRoles: known('GET', '/system/users/{user}/roles', 200),
  assignSystemRole: known('PUT', '/system/users/{user}/roles/{role}', 204),
  checkSystemRole: known('HEAD', '/system/users/{user}/roles/{role}', 204),
  unassignSystemRole: known('DELETE', '/system/users/{user}/roles/{role}', 204),
  listRoleAssignments: known('GET', '/role_assignments', 200),

  listCredentials: known('GET', '/users/{user}/application_credentials', 200),
  createCredential: known('POST', '/users/{user}/application_credentials', 201),
  showCredential: known('GET', '/users/{user}/application_credentials/{id}', 200),
  deleteCredential: known('DELETE', '/users/{user}/application_credentials/{id}', 204),
} as const;
