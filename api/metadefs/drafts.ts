/** From bodies to the domain's words. */
import type { Association, Definition } from '../../core/metadefs/namespace.ts';
import type { GivenFields, NamespaceDraft, NewChild } from '../../core/metadefs/namespaces.ts';
import type {
  AssociationBody,
  NamespaceBody,
  NamespaceUpdate,
  ObjectBody,
  PropertyBody,
} from './definition-schemas.ts';

/** What a body leaves out has its default: PUT replaces. */
export function fieldsOf(body: NamespaceUpdate | NamespaceBody): GivenFields {
  return {
    name: body.namespace,
    displayName: body.display_name ?? null,
    description: body.description ?? null,
    visibility: body.visibility ?? 'private',
    protected: body.protected ?? false,
    ...(body.owner !== undefined && { owner: body.owner }),
  };
}

export function draftOf(body: NamespaceBody): NamespaceDraft {
  return {
    ...fieldsOf(body),
    associations: (body.resource_type_associations ?? []).map(associationOf),
    contents: {
      properties: Object.entries(body.properties ?? {}).map(([name, definition]) => ({ name, definition })),
      objects: (body.objects ?? []).map(childOf),
      tags: (body.tags ?? []).map(childOf),
    },
  };
}

/** Everything but the name is the definition. */
export function childOf({ name, ...definition }: PropertyBody | ObjectBody | { readonly name: string }): NewChild {
  // An object of JSON by its schema, which is what a Definition is; the compiler does not see it through the rest of a union.
  return { name, definition: definition as Definition };
}

export function associationOf(
  body: AssociationBody,
): Pick<Association, 'resourceType' | 'prefix' | 'propertiesTarget'> {
  return {
    resourceType: body.name,
    prefix: body.prefix ?? null,
    propertiesTarget: body.properties_target ?? null,
  };
}
