import { Conflict, LimitExceeded, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { enforceHere, type MetadefDeps, reachNamespace, refuseProtected } from './access.ts';
import { whileStale } from './again.ts';
import { ASSOCIATIONS, checkName } from './names.ts';
import type { Association, ResourceType } from './namespace.ts';

/** Every kind of resource that any namespace was ever associated with. @throws Forbidden */
export async function listResourceTypes(deps: MetadefDeps, caller: Caller): Promise<ResourceType[]> {
  await enforceHere(deps, caller, 'list_metadef_resource_types');
  return deps.metadefs.resourceTypes();
}

/**
 * Removes a resource type that nothing is associated with; no route of the original does it, unloading a catalog needs it.
 * @throws NotFound, Forbidden, Conflict while it is in use
 */
export async function removeResourceType(deps: MetadefDeps, caller: Caller, name: string): Promise<void> {
  await enforceHere(deps, caller, 'metadef_admin');
  const { namespaces } = await deps.metadefs.page({
    reach: 'all',
    resourceTypes: [name],
    sort: { key: 'createdAt', direction: 'desc' },
    limit: 1,
  });
  const [user] = namespaces;
  if (user !== undefined) throw new Conflict(`Resource type ${name} is in use by namespace ${user.name}.`);
  await deps.metadefs.removeResourceType(name);
}

/** @throws NotFound, Forbidden */
export async function listAssociations(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
): Promise<readonly Association[]> {
  const namespace = await reachNamespace(deps, caller, namespaceName, 'list_metadef_resource_types');
  return namespace.associations;
}

/** Associates, and makes the type when it is new. @throws InvalidInput, NotFound, Forbidden, Conflict, LimitExceeded */
export async function associate(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  given: Pick<Association, 'resourceType' | 'prefix' | 'propertiesTarget'>,
): Promise<Association> {
  checkName('resource type name', given.resourceType);
  const at = new Date(deps.clock.now()).toISOString();
  const association = { ...given, createdAt: at, updatedAt: at };
  return whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, namespaceName, 'add_metadef_resource_type_association');
    if (namespace.associations.some(({ resourceType }) => resourceType === given.resourceType))
      throw new Conflict(`Namespace ${namespaceName} is associated with resource type ${given.resourceType} already.`);
    if (namespace.associations.length >= ASSOCIATIONS)
      throw new LimitExceeded(`A namespace has at most ${ASSOCIATIONS} resource type associations`);
    await deps.metadefs.associate(namespace, association);
    return association;
  });
}

/** The type itself stays. @throws NotFound, Forbidden */
export async function dissociate(
  deps: MetadefDeps,
  caller: Caller,
  namespaceName: string,
  resourceType: string,
): Promise<void> {
  await whileStale(async () => {
    const namespace = await reachNamespace(deps, caller, namespaceName, 'remove_metadef_resource_type_association');
    if (!namespace.associations.some((association) => association.resourceType === resourceType))
      throw new NotFound(`Namespace ${namespaceName} is not associated with resource type ${resourceType}.`);
    refuseProtected(namespace, `the association with ${resourceType}`);
    await deps.metadefs.dissociate(namespace, resourceType);
  });
}
