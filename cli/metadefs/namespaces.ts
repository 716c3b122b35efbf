/** The catalog's namespaces over the API, as the commands need them. */
import type { NamespaceFile } from '../../api/metadefs/namespace-file.ts';
import { ApiError, type Session } from '../session.ts';

export const NAMESPACES = '/v2/metadefs/namespaces';

/** A namespace as the API shows it, whole. */
export interface ShownNamespace extends Omit<NamespaceFile, 'visibility' | 'protected'> {
  readonly visibility: 'public' | 'private';
  readonly protected: boolean;
}

export const namespacePath = (name: string): string => `${NAMESPACES}/${encodeURIComponent(name)}`;

/** @returns undefined when there is none */
export async function findNamespace(session: Session, name: string, query = ''): Promise<ShownNamespace | undefined> {
  try {
    return await session.request<ShownNamespace>('GET', namespacePath(name) + query);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

interface Page {
  readonly namespaces: readonly ShownNamespace[];
  readonly next?: string;
}

/** All namespaces that the caller sees, without what is nested in them, by name. */
export async function listNamespaces(session: Session, query = ''): Promise<ShownNamespace[]> {
  const found: ShownNamespace[] = [];
  let path: string | undefined = `${NAMESPACES}?limit=200&sort_key=namespace&sort_dir=asc${query}`;
  while (path !== undefined) {
    const page: Page = await session.request<Page>('GET', path);
    found.push(...page.namespaces);
    path = page.next;
  }
  return found;
}

/** Body of a PUT that changes some base fields and leaves the others as they are. */
export function baseFields(shown: ShownNamespace, change: Partial<NamespaceFile> = {}): object {
  const { namespace, display_name, description, visibility, owner } = shown;
  return { namespace, display_name, description, visibility, protected: shown.protected, owner, ...change };
}

/** Removes a namespace, protected or not: who may administrate the catalog may lift the protection. */
export async function dropNamespace(session: Session, shown: ShownNamespace): Promise<void> {
  const path = namespacePath(shown.namespace);
  if (shown.protected) await session.request('PUT', path, baseFields(shown, { protected: false }));
  await session.request('DELETE', path);
}
