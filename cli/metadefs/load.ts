/** What loading a file does to the catalog (contract: metadefs.md section 9). Loading the same again changes nothing. */
import { isDeepStrictEqual } from 'node:util';
import type { NamespaceFile } from '../../api/metadefs/namespace-file.ts';
import type { Session } from '../session.ts';
import {
  baseFields,
  dropNamespace,
  findNamespace,
  NAMESPACES,
  namespacePath,
  type ShownNamespace,
} from './namespaces.ts';

/**
 * What becomes of a namespace that exists: it is left alone; gets what it lacks; that, and what differs becomes as in the file;
 * or it is dropped and written anew.
 */
export type LoadMode = 'skip' | 'merge' | 'prefer-new' | 'overwrite';
export type LoadResult = 'created' | 'skipped' | 'overwritten' | 'merged' | 'unchanged';

/** @throws ApiError */
export async function loadNamespace(session: Session, file: NamespaceFile, mode: LoadMode): Promise<LoadResult> {
  const shown = await findNamespace(session, file.namespace);
  if (shown === undefined) {
    await session.request('POST', NAMESPACES, file);
    return 'created';
  }
  if (mode === 'skip') return 'skipped';
  if (mode === 'overwrite') {
    await dropNamespace(session, shown);
    await session.request('POST', NAMESPACES, file);
    return 'overwritten';
  }
  const changes = changesOf(shown, file, mode);
  for (const { method, path, body, headers } of changes)
    await session.request(method, namespacePath(file.namespace) + path, body, headers);
  return changes.length > 0 ? 'merged' : 'unchanged';
}

interface Change {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** Below the namespace. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

function changesOf(shown: ShownNamespace, file: NamespaceFile, mode: 'merge' | 'prefer-new'): Change[] {
  const prefersNew = mode === 'prefer-new';
  const associations = associationChanges(shown, file, prefersNew);
  const children = [
    ...childChanges('properties', propertiesOf(shown), propertiesOf(file), prefersNew),
    ...childChanges('objects', objectsOf(shown), objectsOf(file), prefersNew),
    ...tagChanges(shown, file),
  ];
  const target = prefersNew ? fileFields(file) : fileFields(shown);
  // An association is replaced by removing it first, which protection forbids for as long as it is on.
  const isLifted = shown.protected && associations.some(({ method }) => method === 'DELETE');
  const lift: Change[] = isLifted ? [{ method: 'PUT', path: '', body: baseFields(shown, { protected: false }) }] : [];
  const isChanged = !isDeepStrictEqual(target, fileFields(shown));
  const settle: Change[] = isLifted || isChanged ? [{ method: 'PUT', path: '', body: target }] : [];
  return [...lift, ...associations, ...children, ...settle];
}

/** Base fields with their defaults, so that two namespaces can be compared. */
function fileFields(of: NamespaceFile | ShownNamespace): Readonly<Record<string, unknown>> {
  const { namespace, display_name, description, visibility = 'private', owner } = of;
  return {
    namespace,
    ...(display_name !== undefined && { display_name }),
    ...(description !== undefined && { description }),
    visibility,
    protected: of.protected ?? false,
    owner,
  };
}

interface Named {
  readonly name: string;
}

function propertiesOf({ properties = {} }: NamespaceFile | ShownNamespace): Named[] {
  return Object.entries(properties).map(([name, definition]) => ({ ...definition, name }));
}

/** As a file has them: the service's own keys and `required` do not count. */
function objectsOf({ objects = [] }: NamespaceFile | ShownNamespace): Named[] {
  return objects.map(({ name, description, properties = {} }) => ({
    name,
    ...(description !== undefined && { description }),
    properties,
  }));
}

function childChanges(
  kind: 'properties' | 'objects',
  shown: readonly Named[],
  wanted: readonly Named[],
  prefersNew: boolean,
): Change[] {
  const known = new Map(shown.map((child) => [child.name, child]));
  return wanted.flatMap((child): Change[] => {
    const existing = known.get(child.name);
    if (existing === undefined) return [{ method: 'POST', path: `/${kind}`, body: child }];
    if (!prefersNew || isDeepStrictEqual(existing, child)) return [];
    return [{ method: 'PUT', path: `/${kind}/${encodeURIComponent(child.name)}`, body: child }];
  });
}

function tagChanges(shown: ShownNamespace, file: NamespaceFile): Change[] {
  const known = new Set((shown.tags ?? []).map(({ name }) => name));
  const missing = (file.tags ?? []).filter(({ name }) => !known.has(name));
  if (missing.length === 0) return [];
  return [{ method: 'POST', path: '/tags', body: { tags: missing }, headers: { 'x-openstack-append': 'True' } }];
}

function associationChanges(shown: ShownNamespace, file: NamespaceFile, prefersNew: boolean): Change[] {
  const plain = (of: { name: string; prefix?: string | undefined; properties_target?: string | undefined }) => ({
    name: of.name,
    ...(of.prefix !== undefined && { prefix: of.prefix }),
    ...(of.properties_target !== undefined && { properties_target: of.properties_target }),
  });
  const known = new Map((shown.resource_type_associations ?? []).map((each) => [each.name, plain(each)]));
  return (file.resource_type_associations ?? []).map(plain).flatMap((wanted): Change[] => {
    const existing = known.get(wanted.name);
    const add: Change = { method: 'POST', path: '/resource_types', body: wanted };
    if (existing === undefined) return [add];
    if (!prefersNew || isDeepStrictEqual(existing, wanted)) return [];
    return [{ method: 'DELETE', path: `/resource_types/${encodeURIComponent(wanted.name)}` }, add];
  });
}
