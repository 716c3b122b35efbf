/** The catalog as clients read it (contract: metadefs.md sections 3 to 7). Links are not percent-encoded; nulls are left out. */
import type { Association, Child, Definition, Namespace, ResourceType } from '../../core/metadefs/namespace.ts';
import type { WholeNamespace } from '../../core/metadefs/namespaces.ts';
import { wireTime } from '../timestamps.ts';
import type {
  AssociationAnswer,
  CreatedNamespace,
  NamespaceAnswer,
  ObjectAnswer,
  PropertyAnswer,
  ResourceTypeAnswer,
  TagAnswer,
  WholeNamespaceAnswer,
  WrittenObject,
} from './answers.ts';

const NAMESPACES = '/v2/metadefs/namespaces';

/** A namespace in a list, and as PUT answers it. */
export function namespaceView(namespace: Namespace): NamespaceAnswer {
  const { associations } = namespace;
  return {
    ...namespaceFields(namespace),
    ...(associations.length > 0 && { resource_type_associations: associations.map(associationView) }),
  };
}

function namespaceFields(namespace: Namespace): Omit<NamespaceAnswer, 'resource_type_associations'> {
  const { displayName, description, owner } = namespace;
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
  };
}

/** With everything in it; names carry the prefix that the resource type has here. Kinds without children are left out. */
export function wholeNamespaceView(
  { namespace, contents }: WholeNamespace,
  resourceType?: string,
): WholeNamespaceAnswer {
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
export function createdNamespaceView({ namespace, contents }: WholeNamespace): CreatedNamespace {
  const { properties, objects, tags } = contents;
  return {
    ...namespaceFields(namespace),
    ...(namespace.associations.length > 0 && {
      resource_type_associations: namespace.associations.map(bareAssociation),
    }),
    ...(properties.length > 0 && { properties: dictionaryView(properties, '') }),
    ...(objects.length > 0 && { objects: objects.map(({ name, definition }) => ({ name, ...definition })) }),
    ...(tags.length > 0 && { tags: tags.map(({ name }) => ({ name })) }),
  };
}

function bareAssociation({
  resourceType,
  prefix,
  propertiesTarget,
}: Association): Omit<AssociationAnswer, 'created_at' | 'updated_at'> {
  return {
    name: resourceType,
    ...(prefix !== null && { prefix }),
    ...(propertiesTarget !== null && { properties_target: propertiesTarget }),
  };
}

export function associationView(association: Association): AssociationAnswer {
  return { ...bareAssociation(association), ...times(association) };
}

export function resourceTypeView(type: ResourceType): ResourceTypeAnswer {
  return { name: type.name, ...times(type) };
}

export function propertyView({ name, definition }: Child): PropertyAnswer {
  return { ...definition, name };
}

export function dictionaryView(properties: readonly Child[], prefix = ''): Record<string, Definition> {
  return Object.fromEntries(properties.map(({ name, definition }) => [prefix + name, definition]));
}

/** As GET shows it: `required` and `properties` are there even when empty. */
export function objectView(namespace: Namespace, object: Child, prefix = ''): ObjectAnswer {
  // Whatever wrote the object held its definition to this part of ObjectBody.
  const { required = [], properties = {} } = object.definition as {
    readonly required?: readonly string[];
    readonly properties?: Readonly<Record<string, Definition>>;
  };
  return {
    ...writtenObjectView(namespace, object),
    required: required.map((name) => prefix + name),
    properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [prefix + name, value])),
  };
}

/** As POST and PUT answer it: what the body left out is left out. */
export function writtenObjectView(namespace: Namespace, object: Child): WrittenObject {
  return {
    name: object.name,
    ...object.definition,
    ...times(object),
    self: `${NAMESPACES}/${namespace.name}/objects/${object.name}`,
    schema: '/v2/schemas/metadefs/object',
  };
}

export function tagView(tag: Child): TagAnswer {
  return { name: tag.name, ...times(tag) };
}

function times({
  createdAt,
  updatedAt,
}: Pick<Child, 'createdAt' | 'updatedAt'>): Pick<TagAnswer, 'created_at' | 'updated_at'> {
  return { created_at: wireTime(createdAt), updated_at: wireTime(updatedAt) };
}
