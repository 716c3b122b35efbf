/** What loading a file does to the catalog (contract: metadefs.md section 9). Loading the same again changes nothing. */
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Client } from '../../api/client.ts';
import type { WholeNamespaceAnswer } from '../../api/metadefs/answers.ts';
import type { NamespaceUpdate, ObjectBody, PropertyBody } from '../../api/metadefs/definition-schemas.ts';
import type { NamespaceFile } from '../../api/metadefs/namespace-file.ts';
import { baseFields, dropNamespace, findNamespace } from './namespaces.ts';

/**
 * What becomes of a namespace that exists: it is left alone; gets what it lacks; that, and what differs becomes as in the file;
 * or it is dropped and written anew.
 */
export type LoadMode = 'skip' | 'merge' | 'prefer-new' | 'overwrite';
export type LoadResult = 'created' | 'skipped' | 'overwritten' | 'merged' | 'unchanged';

/** @throws the service's error kinds */
export async function loadNamespace(client: Client, file: NamespaceFile, mode: LoadMode): Promise<LoadResult> {
  const shown = await findNamespace(client, file.namespace);
  if (shown === undefined) {
    await client.createNamespace({ body: file });
    return 'created';
  }
  if (mode === 'skip') return 'skipped';
  if (mode === 'overwrite') {
    await dropNamespace(client, shown);
    await client.createNamespace({ body: file });
    return 'overwritten';
  }
  const changes = changesOf(shown, file, mode);
  for (const change of changes) await change(client);
  return changes.length > 0 ? 'merged' : 'unchanged';
}

type Change = (client: Client) => Promise<unknown>;

function changesOf(shown: WholeNamespaceAnswer, file: NamespaceFile, mode: 'merge' | 'prefer-new'): Change[] {
  const prefersNew = mode === 'prefer-new';
  const params = { namespace: file.namespace };
  const associations = associationChanges(shown, file, prefersNew);
  const children = [
    ...childChanges(propertiesOf(shown), propertiesOf(file), prefersNew, {
      add: (body) => (client) => client.createProperty({ params, body }),
      replace: (body) => (client) => client.updateProperty({ params: { ...params, name: body.name }, body }),
    }),
    ...childChanges(objectsOf(shown), objectsOf(file), prefersNew, {
      add: (body) => (client) => client.createObject({ params, body }),
      replace: (body) => (client) => client.updateObject({ params: { ...params, name: body.name }, body }),
    }),
    ...tagChanges(shown, file),
  ];
  const target = prefersNew ? fileFields(file) : fileFields(shown);
  const put =
    (body: typeof target): Change =>
    (client) =>
      client.updateNamespace({ params, body });
  // An association is replaced by removing it first, which protection forbids for as long as it is on.
  const isLifted = shown.protected && associations.some(({ removes }) => removes);
  const lift = isLifted ? [put(baseFields(shown, { protected: false }))] : [];
  const isChanged = !isDeepStrictEqual(target, fileFields(shown));
  const settle = isLifted || isChanged ? [put(target)] : [];
  return [...lift, ...associations.map(({ change }) => change), ...children, ...settle];
}

/** Base fields with their defaults, so that two namespaces can be compared. */
function fileFields(of: NamespaceFile | WholeNamespaceAnswer): NamespaceUpdate {
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

type PropertyInput = z.input<typeof PropertyBody>;
type ObjectInput = z.input<typeof ObjectBody>;

/** Definitions come from a file that was checked, or were sent by somebody else once: the service holds them to their shape. */
function propertiesOf({ properties = {} }: NamespaceFile | WholeNamespaceAnswer): PropertyInput[] {
  return Object.entries(properties).map(([name, definition]) => ({ ...definition, name }) as PropertyInput);
}

/** As a file has them: the service's own keys and `required` do not count. */
function objectsOf({ objects = [] }: NamespaceFile | WholeNamespaceAnswer): ObjectInput[] {
  return objects.map(
    ({ name, description, properties = {} }) =>
      ({ name, ...(description !== undefined && { description }), properties }) as ObjectInput,
  );
}

interface ChildCalls<T> {
  readonly add: (child: T) => Change;
  readonly replace: (child: T) => Change;
}

function childChanges<T extends { readonly name: string }>(
  shown: readonly T[],
  wanted: readonly T[],
  prefersNew: boolean,
  { add, replace }: ChildCalls<T>,
): Change[] {
  const known = new Map(shown.map((child) => [child.name, child]));
  return wanted.flatMap((child): Change[] => {
    const existing = known.get(child.name);
    if (existing === undefined) return [add(child)];
    return prefersNew && !isDeepStrictEqual(existing, child) ? [replace(child)] : [];
  });
}

function tagChanges(shown: WholeNamespaceAnswer, file: NamespaceFile): Change[] {
  const known = new Set((shown.tags ?? []).map(({ name }) => name));
  const tags = (file.tags ?? []).filter(({ name }) => !known.has(name));
  if (tags.length === 0) return [];
  const params = { namespace: file.namespace };
  return [(client) => client.createMetadefTags({ params, headers: { 'x-openstack-append': 'True' }, body: { tags } })];
}

interface AssociationChange {
  readonly change: Change;
  readonly removes: boolean;
}

function associationChanges(
  shown: WholeNamespaceAnswer,
  file: NamespaceFile,
  prefersNew: boolean,
): AssociationChange[] {
  const plain = (of: { name: string; prefix?: string | undefined; properties_target?: string | undefined }) => ({
    name: of.name,
    ...(of.prefix !== undefined && { prefix: of.prefix }),
    ...(of.properties_target !== undefined && { properties_target: of.properties_target }),
  });
  const { namespace } = file;
  const known = new Map((shown.resource_type_associations ?? []).map((each) => [each.name, plain(each)]));
  return (file.resource_type_associations ?? []).map(plain).flatMap((wanted): AssociationChange[] => {
    const existing = known.get(wanted.name);
    const add: Change = (client) => client.associateResourceType({ params: { namespace }, body: wanted });
    if (existing === undefined) return [{ change: add, removes: false }];
    if (!prefersNew || isDeepStrictEqual(existing, wanted)) return [];
    const params = { namespace, resource_type: wanted.name };
    const remove: Change = (client) => client.dissociateResourceType({ params });
    return [
      { change: remove, removes: true },
      { change: add, removes: false },
    ];
  });
}
