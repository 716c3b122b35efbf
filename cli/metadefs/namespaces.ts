/** The catalog's namespaces over the API, as the commands need them. */
import type { Client } from '../../api/client.ts';
import { kindOf } from '../../api/errors.ts';
import type { NamespaceAnswer, WholeNamespaceAnswer } from '../../api/metadefs/answers.ts';
import type { NamespaceUpdate } from '../../api/metadefs/definition-schemas.ts';
import { nextMarker } from '../../api/page-links.ts';

/** @returns undefined when there is none */
export async function findNamespace(
  client: Client,
  namespace: string,
  resourceType?: string,
): Promise<WholeNamespaceAnswer | undefined> {
  try {
    return await client.showNamespace({ params: { namespace }, query: { resource_type: resourceType } });
  } catch (error) {
    if (kindOf(error) === 'NotFound') return undefined;
    throw error;
  }
}

/** All namespaces that the caller sees, without what is nested in them, by name. */
export async function listNamespaces(client: Client, resourceTypes?: string): Promise<NamespaceAnswer[]> {
  const found: NamespaceAnswer[] = [];
  const order = { limit: 200, sort_key: 'namespace', sort_dir: 'asc', resource_types: resourceTypes };
  let marker: string | undefined;
  do {
    const page = await client.listNamespaces({ query: { ...order, marker } });
    found.push(...page.namespaces);
    marker = nextMarker(page.next);
  } while (marker !== undefined);
  return found;
}

/** Body of a PUT that changes some base fields and leaves the others as they are. */
export function baseFields(shown: NamespaceAnswer, change: Partial<NamespaceUpdate> = {}): NamespaceUpdate {
  const { namespace, display_name, description, visibility, owner } = shown;
  return { namespace, display_name, description, visibility, protected: shown.protected, owner, ...change };
}

/** Removes a namespace, protected or not: who may administrate the catalog may lift the protection. */
export async function dropNamespace(client: Client, shown: NamespaceAnswer): Promise<void> {
  const params = { namespace: shown.namespace };
  if (shown.protected) await client.updateNamespace({ params, body: baseFields(shown, { protected: false }) });
  await client.deleteNamespace({ params });
}
