import {
  type Association,
  CHILD_KINDS,
  type Child,
  type ChildKind,
  type Definition,
  type Namespace,
  type NamespaceVisibility,
} from '../../core/metadefs/namespace.ts';
import {
  byCreated,
  generationPrefix,
  metadefChildKey,
  namespaceKey,
  namespaceOwnerPartition,
  namespaceVisibilityPartition,
} from './keys.ts';

export type MetadefItem = Record<string, unknown>;

/** Attributes of the namespace's record that other writes touch. */
export const generationColumn = (kind: ChildKind): string => `generation_${kind}`;
export const countColumn = (kind: ChildKind): string => `count_${kind}`;

const byKind = <T>(of: (kind: ChildKind) => T): Record<ChildKind, T> => ({
  properties: of('properties'),
  objects: of('objects'),
  tags: of('tags'),
});

export function namespaceItem(namespace: Namespace): MetadefItem {
  const { id, name, owner, visibility, createdAt, associations } = namespace;
  const created = byCreated(createdAt, id);
  return {
    ...namespaceKey(id),
    ...(owner !== null && {
      gsi1pk: namespaceOwnerPartition(owner),
      gsi1sk: created,
      gsi2pk: namespaceOwnerPartition(owner),
      gsi2sk: name,
    }),
    gsi3pk: namespaceVisibilityPartition(visibility),
    gsi3sk: created,
    gsi4pk: namespaceVisibilityPartition(visibility),
    gsi4sk: name,
    id,
    name,
    display_name: namespace.displayName,
    description: namespace.description,
    visibility,
    protected: namespace.protected,
    owner,
    created_at: createdAt,
    updated_at: namespace.updatedAt,
    revision: namespace.revision,
    // One text instead of nested maps: a page of namespaces is parsed many times faster.
    associations: JSON.stringify(associations),
    ...Object.fromEntries(CHILD_KINDS.map((kind) => [generationColumn(kind), namespace.generations[kind]])),
    ...Object.fromEntries(CHILD_KINDS.map((kind) => [countColumn(kind), namespace.counts[kind]])),
  };
}

export function namespaceOf(item: MetadefItem): Namespace {
  return {
    id: String(item['id']),
    name: String(item['name']),
    displayName: textOrNull(item['display_name']),
    description: textOrNull(item['description']),
    visibility: item['visibility'] as NamespaceVisibility,
    protected: item['protected'] === true,
    owner: textOrNull(item['owner']),
    associations: JSON.parse(String(item['associations'])) as Association[],
    generations: byKind((kind) => String(item[generationColumn(kind)])),
    counts: byKind((kind) => Number(item[countColumn(kind)])),
    createdAt: String(item['created_at']),
    updatedAt: String(item['updated_at']),
    revision: Number(item['revision']),
  };
}

export function childItem(namespaceId: string, kind: ChildKind, generation: string, child: Child): MetadefItem {
  return {
    ...metadefChildKey(namespaceId, kind, generation, child.name),
    name: child.name,
    definition: JSON.stringify(child.definition),
    created_at: child.createdAt,
    updated_at: child.updatedAt,
  };
}

export function childOf(item: MetadefItem): Child {
  return {
    name: String(item['name']),
    definition: JSON.parse(String(item['definition'])) as Definition,
    createdAt: String(item['created_at']),
    updatedAt: String(item['updated_at']),
  };
}

/** The living children among the items of a namespace's partition, by kind, in the order of their names. */
export function contentsOf(namespace: Namespace, items: readonly MetadefItem[]): Record<ChildKind, Child[]> {
  const contents = byKind<Child[]>(() => []);
  const prefixes = CHILD_KINDS.map((kind) => [kind, generationPrefix(kind, namespace.generations[kind])] as const);
  for (const item of items) {
    const found = prefixes.find(([, prefix]) => String(item['sk']).startsWith(prefix));
    if (found !== undefined) contents[found[0]].push(childOf(item));
  }
  return contents;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
