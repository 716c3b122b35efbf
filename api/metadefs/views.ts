/** The catalog as clients read it (contract: metadefs.md sections 3 to 7). Links are not percent-encoded; nulls are left out. */
import type { Association, Child, Definition, Namespace, ResourceType } from '../../core/metadefs/namespace.ts';
import type { WholeNamespace } from '../../core/metadefs/namespaces.ts';
import { wireTime } from '../timestamps.ts';

const NAMESPACES = '/v2/metadefs/namespaces';

type View = Record<string, unknown>;

/** A namespace in a list, and as PUT answers it. */
export function namespaceView(namespace: Namespace): View & { readonly self: string } {
  const { displayName, description, owner, associations } = namespace;
  return {
    namespace: namespace.name,
    ...(displayName !== null && { display_name: displayName }),
    ...(description !== null && { description }),
    visibility: namespace.visibility,
    protected: namespace.protected,
    ...(owner !== null && { owner }),
    created_at: wireTime(namespace.createdAt),
    updated_at: wireTime(namespace.updatedAt),
    self: `${NAMESPACES}/${namespace.name}`,
    schema: '/v2/schemas/metadefs/namespace',
    ...(associations.length > 0 && { resource_type_associations: associations.map(associationView) }),
  };
}

/** With everything in it; names carry the prefix that the resource type has here. Kinds without children are left out. */
export function wholeNamespaceView({ namespace, contents }: WholeNamespace, resourceType?: string): View {
  const association = namespace.associations.find((each) => each.resourceType === resourceType);
  const prefix = association?.prefix ?? '';
  const { properties, objects, tags } = contents;
  return {
    ...namespaceView(namespace),
    ...(properties.length > 0 && { properties: dictionaryView(properties, prefix) }),
    ...(objects.length > 0 && { objects: objects.map((object) => objectView(namespace, object, prefix)) }),
    ...(tags.length > 0 && { tags: tags.map(({ name }) => ({ name })) }),
  };
}

/** The answer to POST: what is nested as it was sent. */
export function createdNamespaceView({ namespace, contents }: WholeNamespace): View & { readonly self: string } {
  const { properties, objects, tags } = contents;
  return {
    ...namespaceView(namespace),
    ...(namespace.associations.length > 0 && {
      resource_type_associations: namespace.associations.map(bareAssociation),
    }),
    ...(properties.length > 0 && { properties: dictionaryView(properties, '') }),
    ...(objects.length > 0 && { objects: objects.map(({ name, definition }) => ({ name, ...definition })) }),
    ...(tags.length > 0 && { tags: tags.map(({ name }) => ({ name })) }),
  };
}

function bareAssociation({ resourceType, prefix, propertiesTarget }: Association): View {
  return {
    name: resourceType,
    ...(prefix !== null && { prefix }),
    ...(propertiesTarget !== null && { properties_target: propertiesTarget }),
  };
}

export function associationView(association: Association): View {
  return { ...bareAssociation(association), ...times(association) };
}

export function resourceTypeView(type: ResourceType): View {
  return { name: type.name, ...times(type) };
}

export function propertyView({ name, definition }: Child): View {
  return { ...definition, name };
}

export function dictionaryView(properties: readonly Child[], prefix = ''): Record<string, Definition> {
  return Object.fromEntries(properties.map(({ name, definition }) => [prefix + name, definition]));
}

/** As GET shows it: `required` and `properties` are there even when empty. */
export function objectView(namespace: Namespace, object: Child, prefix = ''): View {
  const { required = [], properties = {} } = object.definition as {
    readonly required?: readonly string[];
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  return {
    ...writtenObjectView(namespace, object),
    required: required.map((name) => prefix + name),
    properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [prefix + name, value])),
  };
}

/** As POST and PUT answer it: what the body left out is left out. */
export function writtenObjectView(namespace: Namespace, object: Child): View {
  return {
    name: object.name,
    ...object.definition,
    ...times(object),
    self: `${NAMESPACES}/${namespace.name}/objects/${object.name}`,
    schema: '/v2/schemas/metadefs/object',
  };
}

export function tagView(tag: Child): View {
  return { name: tag.name, ...times(tag) };
}

function times({ createdAt, updatedAt }: Pick<Child, 'createdAt' | 'updatedAt'>): View {
  return { created_at: wireTime(createdAt), updated_at: wireTime(updatedAt) };
}
