import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { DEFAULT_DOMAIN_ID } from '../core/identity/records.ts';
import type { DropProject } from '../core/imports/drop.ts';
import { bodyOf, type KeystoneConnection } from './connection.ts';
import { remember } from './remember.ts';

/** What was found, or not, is taken as true for this long. */
const REMEMBERED_MS = 10_000;

const ProjectView = z.object({
  id: z.string(),
  name: z.string(),
  domain_id: z.string().nullable(),
  enabled: z.boolean().default(true),
  is_domain: z.boolean().default(false),
});
type ProjectView = z.infer<typeof ProjectView>;

/**
 * Finds projects of an existing Keystone by id, else by name in the domain with id `default` (contract: identity.md section 4).
 * The service user needs the right to look at projects. @throws BackendUnavailable
 */
export function createProjectLookup(
  keystone: KeystoneConnection,
  clock: Clock,
): (idOrName: string) => Promise<DropProject | undefined> {
  async function byId(id: string): Promise<ProjectView | undefined> {
    // Anything else is no id, and might lead elsewhere in the URL.
    if (!/^[\w-]{1,64}$/.test(id)) return undefined;
    const answer = await keystone.get(`/projects/${id}`);
    if (answer.status !== 404)
      return (await bodyOf(answer, z.object({ project: ProjectView }), 'a look at a project')).project;
    await answer.body?.cancel();
    return undefined;
  }

  /** Exactly: Keystone on MySQL ignores case. */
  async function byName(name: string): Promise<ProjectView | undefined> {
    const query = new URLSearchParams({ name, domain_id: DEFAULT_DOMAIN_ID });
    const answer = await keystone.get(`/projects?${query}`);
    const { projects } = await bodyOf(answer, z.object({ projects: z.array(ProjectView) }), 'a search for a project');
    return projects.find((project) => project.name === name);
  }

  return remember(clock, REMEMBERED_MS, async (idOrName) => {
    const found = (await byId(idOrName)) ?? (await byName(idOrName));
    if (found === undefined || found.is_domain) return undefined;
    const { id, name, domain_id, enabled } = found;
    return { id, name, domainId: domain_id ?? DEFAULT_DOMAIN_ID, enabled };
  });
}
