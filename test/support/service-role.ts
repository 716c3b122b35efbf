import type { Glimpse } from './glimpse.ts';

/**
 * Gives the admin the role that locations are reserved for; tokens carry no roles, so the one at hand will do.
 * @throws Error when the service does not grant it
 */
export async function becomeService(glimpse: Glimpse): Promise<void> {
  const get = async (path: string) => (await glimpse.api('admin', 'GET', `/identity/v3${path}`)).json();
  const { roles } = (await get('/roles?name=service')) as { roles: { id: string }[] };
  const { users } = (await get('/users?name=admin')) as { users: { id: string }[] };
  const { projects } = (await get('/projects?name=admin')) as { projects: { id: string }[] };
  const path = `/projects/${projects[0]?.id}/users/${users[0]?.id}/roles/${roles[0]?.id}`;
  const { status } = await glimpse.api('admin', 'PUT', `/identity/v3${path}`);
  if (status !== 204) throw new Error(`the admin does not get the role service: ${status}`);
}
