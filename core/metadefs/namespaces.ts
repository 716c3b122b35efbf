import type { WithClock, WithIds } from '../clock.ts';
import { Conflict, Forbidden, LimitExceeded } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import {
  enforceHere,
  enforceOn,
  isVisibleTo,
  type MetadefDeps,
  namespaceTarget,
  noSuchNamespace,
  reachNamespace,
  refuseProtected,
} from './access.ts';
import { whileStale } from './again.ts';
import { ASSOCIATIONS, checkName, DEFINITION_BYTES } from './names.ts';
import {
  type Association,
  CHILD_KINDS,
  type Child,
  type ChildKind,
  type Contents,
  type Definition,
  type Namespace,
  type NamespaceFields,
} from './namespace.ts';
import type { NamespaceQuery, WithMetadefs } from './repository.ts';

/** Fields as a client gives them: without an owner it is the caller's project. */
export type GivenFields = Omit<NamespaceFields, 'owner'> & { readonly owner?: string };

/** A child before it has times. */
export interface NewChild {
  readonly name: string;
  readonly definition: Definition;
}

/** A namespace with everything it shall hold. */
export interface NamespaceDraft extends GivenFields {
  readonly associations: readonly Pick<Association, 'resourceType' | 'prefix' | 'propertiesTarget'>[];
  readonly contents: Readonly<Record<ChildKind, readonly NewChild[]>>;
}

export type OwnedDraft = Omit<NamespaceDraft, 'owner'> & Pick<NamespaceFields, 'owner'>;

export interface WholeNamespace {
  readonly namespace: Namespace;
  readonly contents: Contents;
}

const ADD_RULES: Readonly<Record<ChildKind, string>> = {
  properties: 'add_metadef_property',
  objects: 'add_metadef_object',
  tags: 'add_metadef_tag',
};

/** @throws InvalidInput, Forbidden, Conflict, LimitExceeded */
export async function createNamespace(
  deps: MetadefDeps,
  caller: Caller,
  draft: NamespaceDraft,
): Promise<WholeNamespace> {
  const kinds = CHILD_KINDS.filter((kind) => draft.contents[kind].length > 0);
  const associating = draft.associations.length > 0 ? ['add_metadef_resource_type_association'] : [];
  const adding = kinds.map((kind) => ADD_RULES[kind]);
  await enforceHere(deps, caller, 'add_metadef_namespace', ...associating, ...adding);
  const owner = draft.owner ?? caller.projectId;
  refuseForeignOwner(caller, owner, caller.projectId);
  return storeNamespace(deps, { ...draft, owner });
}

/** Creates without asking who: for the service's own catalog. @throws InvalidInput, Conflict, LimitExceeded */
export async function storeNamespace(
  deps: WithMetadefs & WithClock & WithIds,
  { contents: given, associations, ...fields }: OwnedDraft,
): Promise<WholeNamespace> {
  checkName('namespace', fields.name);
  const at = new Date(deps.clock.now()).toISOString();
  const id = deps.newId();
  const contents: Contents = {
    properties: newChildren('properties', given.properties, at),
    objects: newChildren('objects', given.objects, at),
    tags: newChildren('tags', given.tags, at),
  };
  const namespace: Namespace = {
    ...fields,
    id,
    associations: newAssociations(associations, at),
    generations: { properties: id, objects: id, tags: id },
    counts: { properties: contents.properties.length, objects: contents.objects.length, tags: contents.tags.length },
    createdAt: at,
    updatedAt: at,
    revision: 0,
  };
  await deps.metadefs.create(namespace, contents);
  return { namespace, contents };
}

/** Checked children with their times. @throws InvalidInput, Conflict for a name given twice, LimitExceeded */
export function newChildren(kind: ChildKind, children: readonly NewChild[], at: string): Child[] {
  refuseRepeats(
    kind,
    children.map((child) => child.name),
  );
  return children.map((child) => newChild(kind, child, at, at));
}

/** @throws InvalidInput, LimitExceeded */
export function newChild(kind: ChildKind, child: NewChild, createdAt: string, updatedAt: string): Child {
  checkName(`name in ${kind}`, child.name);
  const bytes = Buffer.byteLength(JSON.stringify(child.definition));
  if (bytes > DEFINITION_BYTES)
    throw new LimitExceeded(`${child.name}: a definition may take ${DEFINITION_BYTES} bytes, this one takes ${bytes}`);
  return { name: child.name, definition: child.definition, createdAt, updatedAt };
}

function newAssociations(given: NamespaceDraft['associations'], at: string): Association[] {
  if (given.length > ASSOCIATIONS)
    throw new LimitExceeded(`A namespace has at most ${ASSOCIATIONS} resource type associations, not ${given.length}`);
  for (const { resourceType } of given) checkName('resource type name', resourceType);
  refuseRepeats(
    'resource_type_associations',
    given.map(({ resourceType }) => resourceType),
  );
  return given.map((association) => ({ ...association, createdAt: at, updatedAt: at }));
}

function refuseRepeats(kind: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Conflict(`${kind}: ${JSON.stringify(name)} is given twice`);
    seen.add(name);
  }
}

/** Only an admin writes in another project's name. */
function refuseForeignOwner(caller: Caller, owner: string | null, current: string | null): void {
  if (owner === caller.projectId || owner === current || caller.isAdmin) return;
  throw new Forbidden(`You are not permitted to make ${owner} the owner of a namespace.`);
}

const SHOW_RULES = [
  'get_metadef_namespace',
  'list_metadef_resource_types',
  'get_metadef_objects',
  'get_metadef_properties',
  'get_metadef_tags',
];

/** @throws NotFound, Forbidden */
export async function showNamespace(deps: MetadefDeps, caller: Caller, name: string): Promise<WholeNamespace> {
  const whole = await deps.metadefs.findWhole(name);
  if (whole === undefined || !isVisibleTo(whole.namespace, caller)) throw noSuchNamespace(name);
  await enforceOn(deps, caller, whole.namespace, SHOW_RULES);
  return whole;
}

/** @throws InvalidInput, NotFound, Forbidden, Conflict, LimitExceeded */
export async function updateNamespace(
  deps: MetadefDeps,
  caller: Caller,
  name: string,
  given: GivenFields,
): Promise<Namespace> {
  checkName('namespace', given.name);
  return whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, name, 'modify_metadef_namespace');
    const owner = given.owner ?? caller.projectId;
    refuseForeignOwner(caller, owner, namespace.owner);
    return deps.metadefs.update(namespace, { ...given, owner }, new Date(deps.clock.now()).toISOString());
  });
}

/** @throws NotFound, Forbidden */
export async function deleteNamespace(deps: MetadefDeps, caller: Caller, name: string): Promise<void> {
  await whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, name, 'delete_metadef_namespace');
    refuseProtected(namespace, 'it');
    await deps.metadefs.delete(namespace);
  });
}

export type NamespaceListRequest = Omit<NamespaceQuery, 'reach' | 'marker'> & { readonly markerName?: string };

/**
 * `lastName` is the marker of the next page; absent when there is none. What policy hides from the caller is left out.
 * @throws Forbidden, NotFound for a marker that the caller cannot see
 */
export async function listNamespaces(
  deps: MetadefDeps,
  caller: Caller,
  { markerName, ...asked }: NamespaceListRequest,
): Promise<{ readonly namespaces: readonly Namespace[]; readonly lastName?: string }> {
  await enforceHere(deps, caller, 'get_metadef_namespaces', 'list_metadef_resource_types');
  const marker = markerName === undefined ? undefined : await reachNamespace(deps, caller, markerName);
  const { namespaces, more } = await deps.metadefs.page({
    ...asked,
    reach: caller.isAdmin ? 'all' : { project: caller.projectId },
    ...(marker !== undefined && { marker }),
  });
  const allowed = await Promise.all(
    namespaces.map((namespace) => deps.policy.allows('get_metadef_namespace', namespaceTarget(namespace), caller)),
  );
  const last = namespaces.at(-1);
  return {
    namespaces: namespaces.filter((_, at) => allowed[at]),
    ...(more && last !== undefined && { lastName: last.name }),
  };
}
