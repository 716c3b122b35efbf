/** Properties, objects and tags of a namespace: the same verbs, told apart by a table of rules. */
import { Conflict, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { type MetadefDeps, reachNamespace, refuseProtected } from './access.ts';
import { whileStale } from './again.ts';
import type { Child, ChildKind, Namespace } from './namespace.ts';
import { type NewChild, newChild, newChildren } from './namespaces.ts';

interface Rules {
  readonly list: string;
  readonly show: readonly string[];
  readonly add: string;
  readonly modify: string;
  readonly remove: string;
  readonly removeAll: readonly string[];
  /** In messages. */
  readonly word: string;
}

const RULES: Readonly<Record<ChildKind, Rules>> = {
  properties: {
    list: 'get_metadef_properties',
    show: ['get_metadef_property'],
    add: 'add_metadef_property',
    modify: 'modify_metadef_property',
    remove: 'remove_metadef_property',
    removeAll: ['delete_metadef_namespace'],
    word: 'property',
  },
  objects: {
    list: 'get_metadef_objects',
    show: ['get_metadef_object'],
    add: 'add_metadef_object',
    modify: 'modify_metadef_object',
    remove: 'delete_metadef_object',
    removeAll: ['delete_metadef_namespace'],
    word: 'object',
  },
  tags: {
    list: 'get_metadef_tags',
    show: ['get_metadef_tag'],
    add: 'add_metadef_tag',
    modify: 'modify_metadef_tag',
    remove: 'delete_metadef_tag',
    removeAll: ['delete_metadef_namespace', 'delete_metadef_tags'],
    word: 'tag',
  },
};

/** A child and the namespace it is in. */
export interface Placed {
  readonly namespace: Namespace;
  readonly child: Child;
}

/** In the order of their names. @throws NotFound, Forbidden */
export async function listChildren(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  kind: ChildKind,
): Promise<{ readonly namespace: Namespace; readonly children: readonly Child[] }> {
  const namespace = await reachNamespace(deps, caller, namespaceName, RULES[kind].list);
  return { namespace, children: await deps.metadefs.children(namespace, kind) };
}

/**
 * @param resourceType the name is given with this type's prefix (properties only)
 * @throws NotFound also when the type is not associated or the name lacks its prefix; Forbidden
 */
export async function showChild(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  kind: ChildKind,
  name: string,
  resourceType?: string,
): Promise<Placed> {
  const rules = resourceType === undefined ? [] : ['get_metadef_resource_type'];
  const namespace = await reachNamespace(deps, caller, namespaceName, ...RULES[kind].show, ...rules);
  const stored = resourceType === undefined ? name : withoutPrefix(namespace, kind, name, resourceType);
  const child = await deps.metadefs.child(namespace, kind, stored);
  if (child === undefined) throw noSuchChild(namespace, kind, name);
  return { namespace, child };
}

function withoutPrefix(namespace: Namespace, kind: ChildKind, name: string, resourceType: string): string {
  const association = namespace.associations.find((each) => each.resourceType === resourceType);
  if (association === undefined)
    throw new NotFound(`Namespace ${namespace.name} is not associated with resource type ${resourceType}.`);
  const prefix = association.prefix ?? '';
  if (prefix === '' || !name.startsWith(prefix)) throw noSuchChild(namespace, kind, name);
  return name.slice(prefix.length);
}

/** @throws InvalidInput, NotFound, Forbidden, Conflict, LimitExceeded */
export async function addChild(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  kind: ChildKind,
  given: NewChild,
): Promise<Placed> {
  const at = now(deps);
  const child = newChild(kind, given, at, at);
  return whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, namespaceName, RULES[kind].add);
    await deps.metadefs.addChild(namespace, kind, child);
    return { namespace, child };
  });
}

/** @throws InvalidInput, NotFound, Forbidden, Conflict, LimitExceeded */
export async function replaceChild(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  kind: ChildKind,
  name: string,
  given: NewChild,
): Promise<Placed> {
  const at = now(deps);
  const checked = newChild(kind, given, at, at);
  return whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, namespaceName, RULES[kind].modify);
    const before = await deps.metadefs.child(namespace, kind, name);
    if (before === undefined) throw noSuchChild(namespace, kind, name);
    const child = { ...checked, createdAt: before.createdAt };
    await deps.metadefs.replaceChild(namespace, kind, name, child);
    return { namespace, child };
  });
}

/** @throws NotFound, Forbidden */
export async function removeChild(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  kind: ChildKind,
  name: string,
): Promise<void> {
  await whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, namespaceName, RULES[kind].remove);
    if (namespace.protected && (await deps.metadefs.child(namespace, kind, name)) === undefined)
      throw noSuchChild(namespace, kind, name);
    refuseProtected(namespace, `the ${RULES[kind].word} ${name}`);
    await deps.metadefs.removeChild(namespace, kind, name);
  });
}

/** @throws NotFound, Forbidden */
export async function removeChildren(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  kind: ChildKind,
): Promise<void> {
  await whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, namespaceName, ...RULES[kind].removeAll);
    refuseProtected(namespace, `its ${kind}`);
    if (namespace.counts[kind] > 0) await deps.metadefs.replaceAll(namespace, kind, []);
  });
}

/**
 * Many tags at once: they replace those there are, or join them. No names: nothing changes.
 * @throws InvalidInput, NotFound, Forbidden, LimitExceeded, Conflict for a name given twice or, joining, one that is there
 */
export async function setTags(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  names: readonly string[],
  { append }: { readonly append: boolean },
): Promise<readonly Child[]> {
  const tags = newChildren(
    'tags',
    names.map((name) => ({ name, definition: {} })),
    now(deps),
  );
  return whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, namespaceName, 'add_metadef_tags');
    if (tags.length === 0) return tags;
    const kept = append ? await deps.metadefs.children(namespace, 'tags') : [];
    const given = new Set(names);
    const taken = kept.find(({ name }) => given.has(name));
    if (taken !== undefined) throw childExists(namespace, 'tags', taken.name);
    await deps.metadefs.replaceAll(namespace, 'tags', [...kept, ...tags]);
    return tags;
  });
}

export function noSuchChild(namespace: Pick<Namespace, 'name'>, kind: ChildKind, name: string): NotFound {
  const { word } = RULES[kind];
  return new NotFound(`Metadata definition ${word} ${name} was not found in namespace=${namespace.name}.`);
}

export function childExists(namespace: Pick<Namespace, 'name'>, kind: ChildKind, name: string): Conflict {
  const { word } = RULES[kind];
  return new Conflict(`Metadata definition ${word} ${name} exists already in namespace=${namespace.name}.`);
}

function now({ clock }: Pick<MetadefDeps, 'clock'>): string {
  return new Date(clock.now()).toISOString();
}
