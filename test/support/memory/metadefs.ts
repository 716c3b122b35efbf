import type { Clock } from '../../../core/clock.ts';
import { Conflict, NotFound, StaleRevision } from '../../../core/errors.ts';
import { childExists, noSuchChild } from '../../../core/metadefs/children.ts';
import {
  CHILD_KINDS,
  type Child,
  type ChildKind,
  compareNamespaces,
  type Namespace,
  type ResourceType,
} from '../../../core/metadefs/namespace.ts';
import type { CatalogLimits, MetadefRepository, NamespaceQuery } from '../../../core/metadefs/repository.ts';
import { memoryUse, type UseChange } from './metadef-use.ts';
import { Records } from './records.ts';

export interface MemoryMetadefOptions {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly limits: CatalogLimits;
}

/** The catalog on maps. Children lie under generations as in the table, so that `sweep` has something to do after a crash. */
export function memoryMetadefs({ clock, newId, limits }: MemoryMetadefOptions): MetadefRepository {
  const namespaces = new Records<Namespace>();
  const ids = new Map<string, string>();
  const children = new Map<string, Records<Child>>();
  const types = new Records<ResourceType & { readonly owner: string | null }>();
  const use = memoryUse(limits);
  let loaded = false;

  const keyOf = (id: string, kind: ChildKind, generation: string) => `${id} ${kind} ${generation}`;
  function generationOf(id: string, kind: ChildKind, generation: string): Records<Child> {
    const key = keyOf(id, kind, generation);
    const known = children.get(key) ?? new Records<Child>();
    children.set(key, known);
    return known;
  }
  const inNamespace = ({ id, generations }: Namespace, kind: ChildKind) => generationOf(id, kind, generations[kind]);
  const listOf = (namespace: Namespace, kind: ChildKind) =>
    inNamespace(namespace, kind)
      .entries()
      .map(([, child]) => child);
  const isTaken = (name: string) => {
    if (ids.has(name)) throw new Conflict(`The metadata definition namespace=${name} already exists.`);
  };
  const stale = ({ name }: Namespace) => new StaleRevision(`Namespace ${name} changed meanwhile`);

  function find(name: string): Namespace | undefined {
    const id = ids.get(name);
    return id === undefined ? undefined : namespaces.get(id);
  }

  /** The record is as it was read. */
  function unchanged(before: Namespace): void {
    if (namespaces.get(before.id)?.revision !== before.revision) throw stale(before);
  }

  function save(before: Namespace, changed: Namespace): Namespace {
    const after = { ...changed, revision: before.revision + 1 };
    namespaces.set(after.id, after);
    return after;
  }

  function ensureTypes(owner: string | null, names: readonly string[]): void {
    const at = new Date(clock.now()).toISOString();
    for (const name of names) {
      if (types.has(name)) continue;
      use.check(owner, { types: 1 });
      use.count(owner, { types: 1 });
      types.set(name, { name, createdAt: at, updatedAt: at, owner });
    }
  }

  /** The record still names the generation (and, for what is counted, the owner) that was read. */
  function countable(namespace: Namespace, kind: ChildKind, by: -1 | 0 | 1): Namespace {
    const now = namespaces.get(namespace.id);
    if (now === undefined || now.generations[kind] !== namespace.generations[kind]) throw stale(namespace);
    if (by !== 0 && now.owner !== namespace.owner) throw stale(namespace);
    if (by < 0 && now.protected) throw stale(namespace);
    return now;
  }

  function counted(now: Namespace, kind: ChildKind, by: -1 | 0 | 1): void {
    const counts = { ...now.counts, [kind]: now.counts[kind] + by };
    namespaces.set(now.id, { ...now, counts, revision: now.revision + 1 });
    use.count(now.owner, { [kind]: by });
  }

  async function sweep(namespaceId: string, generations: readonly string[]): Promise<void> {
    const living = namespaces.get(namespaceId)?.generations;
    for (const kind of CHILD_KINDS)
      for (const generation of generations)
        if (living?.[kind] !== generation) children.delete(keyOf(namespaceId, kind, generation));
  }

  return {
    sweep,
    find: async (name) => find(name),

    async findWhole(name) {
      const namespace = find(name);
      if (namespace === undefined) return undefined;
      const [properties, objects, tags] = [
        listOf(namespace, 'properties'),
        listOf(namespace, 'objects'),
        listOf(namespace, 'tags'),
      ];
      return { namespace, contents: { properties, objects, tags } };
    },

    async create(namespace, contents) {
      const { id, name, owner, associations, counts } = namespace;
      isTaken(name);
      ensureTypes(
        owner,
        associations.map(({ resourceType }) => resourceType),
      );
      const change = { namespaces: 1, associations: associations.length, ...counts };
      use.check(owner, change);
      use.count(owner, change);
      for (const kind of CHILD_KINDS)
        for (const child of contents[kind]) inNamespace(namespace, kind).set(child.name, child);
      ids.set(name, id);
      namespaces.set(id, namespace);
    },

    async update(before, fields, updatedAt) {
      const after = { ...before, ...fields, updatedAt };
      unchanged(before);
      if (after.name !== before.name) isTaken(after.name);
      if (after.owner !== before.owner) {
        use.check(after.owner, heldBy(before));
        use.count(after.owner, heldBy(before));
        use.count(before.owner, negative(heldBy(before)));
      }
      ids.delete(before.name);
      ids.set(after.name, after.id);
      return save(before, after);
    },

    async delete(namespace) {
      unchanged(namespace);
      namespaces.delete(namespace.id);
      ids.delete(namespace.name);
      use.count(namespace.owner, negative(heldBy(namespace)));
      await sweep(namespace.id, Object.values(namespace.generations));
    },

    async page(query) {
      const compare = compareNamespaces(query.sort);
      const found = namespaces
        .values()
        .filter((namespace) => isSeen(namespace, query) && isWanted(namespace, query))
        .toSorted(compare)
        .slice(0, query.limit);
      return { namespaces: found, more: query.limit > 0 && found.length === query.limit };
    },

    children: async (namespace, kind) => listOf(namespace, kind),
    child: async (namespace, kind, name) => inNamespace(namespace, kind).get(name),

    async addChild(namespace, kind, child) {
      if (inNamespace(namespace, kind).has(child.name)) throw childExists(namespace, kind, child.name);
      const now = countable(namespace, kind, 1);
      use.check(namespace.owner, { [kind]: 1 });
      counted(now, kind, 1);
      inNamespace(namespace, kind).set(child.name, child);
    },

    async replaceChild(namespace, kind, name, child) {
      const held = inNamespace(namespace, kind);
      if (!held.has(name)) throw noSuchChild(namespace, kind, name);
      if (child.name !== name && held.has(child.name)) throw childExists(namespace, kind, child.name);
      counted(countable(namespace, kind, 0), kind, 0);
      held.delete(name);
      held.set(child.name, child);
    },

    async removeChild(namespace, kind, name) {
      if (!inNamespace(namespace, kind).has(name)) throw noSuchChild(namespace, kind, name);
      counted(countable(namespace, kind, -1), kind, -1);
      inNamespace(namespace, kind).delete(name);
    },

    async replaceAll(namespace, kind, next) {
      unchanged(namespace);
      const change = { [kind]: next.length - namespace.counts[kind] };
      use.check(namespace.owner, change);
      use.count(namespace.owner, change);
      const generation = newId();
      for (const child of next) generationOf(namespace.id, kind, generation).set(child.name, child);
      save(namespace, {
        ...namespace,
        generations: { ...namespace.generations, [kind]: generation },
        counts: { ...namespace.counts, [kind]: next.length },
      });
      await sweep(namespace.id, [namespace.generations[kind]]);
    },

    async associate(namespace, association) {
      ensureTypes(namespace.owner, [association.resourceType]);
      unchanged(namespace);
      use.check(namespace.owner, { associations: 1 });
      use.count(namespace.owner, { associations: 1 });
      save(namespace, { ...namespace, associations: [...namespace.associations, association] });
    },

    async dissociate(namespace, resourceType) {
      unchanged(namespace);
      const associations = namespace.associations.filter((each) => each.resourceType !== resourceType);
      use.count(namespace.owner, { associations: associations.length - namespace.associations.length });
      save(namespace, { ...namespace, associations });
    },

    resourceTypes: async () => types.entries().map(([, { owner, ...type }]) => type),

    async removeResourceType(name) {
      const type = types.get(name);
      if (type === undefined) throw new NotFound(`Resource type ${name} was not found.`);
      types.delete(name);
      use.count(type.owner, { types: -1 });
    },

    isLoaded: async () => loaded,
    async markLoaded() {
      loaded = true;
    },
  };
}

function isSeen({ visibility, owner }: Namespace, { reach }: NamespaceQuery): boolean {
  if (reach === 'all' || visibility === 'public') return true;
  return owner !== null && owner === reach.project;
}

function isWanted(namespace: Namespace, { visibility, resourceTypes, marker, sort }: NamespaceQuery): boolean {
  if (visibility !== undefined && namespace.visibility !== visibility) return false;
  const isAssociated = namespace.associations.some(({ resourceType }) => resourceTypes?.includes(resourceType));
  if (resourceTypes !== undefined && !isAssociated) return false;
  return marker === undefined || compareNamespaces(sort)(namespace, marker) > 0;
}

const heldBy = ({ counts, associations }: Namespace): UseChange => ({
  namespaces: 1,
  associations: associations.length,
  ...counts,
});

const negative = (change: UseChange): UseChange =>
  Object.fromEntries(Object.entries(change).map(([counted, by]) => [counted, -by]));
