import { at, type Route } from '../route.ts';
import { SchemaDocument } from '../schemas/answers.ts';
import {
  AssociationAnswer,
  AssociationsAnswer,
  CreatedHeaders,
  CreatedNamespace,
  NamespaceAnswer,
  NamespacesAnswer,
  ObjectAnswer,
  ObjectsAnswer,
  PropertiesAnswer,
  PropertyAnswer,
  ResourceTypesAnswer,
  TagAnswer,
  TagsAnswer,
  WholeNamespaceAnswer,
  WrittenObject,
} from './answers.ts';
import {
  AssociationBody,
  NamespaceBody,
  NamespaceUpdate,
  ObjectBody,
  PropertyBody,
  TagBody,
  TagsBody,
} from './definition-schemas.ts';
import { AppendHeader, NamespaceListQuery, ObjectListQuery, ResourceTypeQuery, TagListQuery } from './list-query.ts';
import { catalogBody } from './read-body.ts';

const route = at('metadefs', 'token');
const schema = <const N extends string>(name: N) =>
  route('GET', `/v2/schemas/metadefs/${name}`, 200, { body: 'refused', answer: SchemaDocument });

const NAMESPACES = '/v2/metadefs/namespaces';
const NAMESPACE = `${NAMESPACES}/{namespace}` as const;

/** The metadata definitions catalog (contract: metadefs.md section 1, schemas.md section 1). */
export const METADEF_ROUTES = {
  listResourceTypes: route('GET', '/v2/metadefs/resource_types', 200, { body: 'refused', answer: ResourceTypesAnswer }),
  /** Ours: the original forgets resource types only by hand in the database. Needed to unload a catalog. */
  deleteResourceType: route('DELETE', '/v2/metadefs/resource_types/{resource_type}', 204, { body: 'refused' }),
  listNamespaces: route('GET', NAMESPACES, 200, { query: NamespaceListQuery, answer: NamespacesAnswer }),
  createNamespace: route('POST', NAMESPACES, 201, {
    body: catalogBody(NamespaceBody),
    answer: CreatedNamespace,
    answerHeaders: CreatedHeaders,
  }),
  showNamespace: route('GET', NAMESPACE, 200, {
    query: ResourceTypeQuery,
    body: 'refused',
    answer: WholeNamespaceAnswer,
  }),
  updateNamespace: route('PUT', NAMESPACE, 200, { body: catalogBody(NamespaceUpdate), answer: NamespaceAnswer }),
  deleteNamespace: route('DELETE', NAMESPACE, 204, { body: 'refused' }),
  listAssociations: route('GET', `${NAMESPACE}/resource_types`, 200, { body: 'refused', answer: AssociationsAnswer }),
  associateResourceType: route('POST', `${NAMESPACE}/resource_types`, 201, {
    body: catalogBody(AssociationBody),
    answer: AssociationAnswer,
  }),
  dissociateResourceType: route('DELETE', `${NAMESPACE}/resource_types/{resource_type}`, 204, { body: 'refused' }),
  listProperties: route('GET', `${NAMESPACE}/properties`, 200, { body: 'refused', answer: PropertiesAnswer }),
  createProperty: route('POST', `${NAMESPACE}/properties`, 201, {
    body: catalogBody(PropertyBody),
    answer: PropertyAnswer,
  }),
  deleteProperties: route('DELETE', `${NAMESPACE}/properties`, 204),
  showProperty: route('GET', `${NAMESPACE}/properties/{name}`, 200, {
    query: ResourceTypeQuery,
    answer: PropertyAnswer,
  }),
  updateProperty: route('PUT', `${NAMESPACE}/properties/{name}`, 200, {
    body: catalogBody(PropertyBody),
    answer: PropertyAnswer,
  }),
  deleteProperty: route('DELETE', `${NAMESPACE}/properties/{name}`, 204),
  listObjects: route('GET', `${NAMESPACE}/objects`, 200, { query: ObjectListQuery, answer: ObjectsAnswer }),
  createObject: route('POST', `${NAMESPACE}/objects`, 201, { body: catalogBody(ObjectBody), answer: WrittenObject }),
  deleteObjects: route('DELETE', `${NAMESPACE}/objects`, 204),
  showObject: route('GET', `${NAMESPACE}/objects/{name}`, 200, { body: 'refused', answer: ObjectAnswer }),
  updateObject: route('PUT', `${NAMESPACE}/objects/{name}`, 200, {
    body: catalogBody(ObjectBody),
    answer: WrittenObject,
  }),
  deleteObject: route('DELETE', `${NAMESPACE}/objects/{name}`, 204, { body: 'refused' }),
  listMetadefTags: route('GET', `${NAMESPACE}/tags`, 200, { query: TagListQuery, answer: TagsAnswer }),
  createMetadefTags: route('POST', `${NAMESPACE}/tags`, 201, {
    headers: AppendHeader,
    body: catalogBody(TagsBody),
    answer: TagsAnswer,
  }),
  deleteMetadefTags: route('DELETE', `${NAMESPACE}/tags`, 204),
  showMetadefTag: route('GET', `${NAMESPACE}/tags/{name}`, 200, { body: 'refused', answer: TagAnswer }),
  createMetadefTag: route('POST', `${NAMESPACE}/tags/{name}`, 201, { body: 'refused', answer: TagAnswer }),
  updateMetadefTag: route('PUT', `${NAMESPACE}/tags/{name}`, 200, { body: catalogBody(TagBody), answer: TagAnswer }),
  deleteMetadefTag: route('DELETE', `${NAMESPACE}/tags/{name}`, 204, { body: 'refused' }),
  showNamespaceSchema: schema('namespace'),
  showNamespacesSchema: schema('namespaces'),
  showResourceTypeSchema: schema('resource_type'),
  showResourceTypesSchema: schema('resource_types'),
  showPropertySchema: schema('property'),
  showPropertiesSchema: schema('properties'),
  showObjectSchema: schema('object'),
  showObjectsSchema: schema('objects'),
  showTagSchema: schema('tag'),
  showTagsSchema: schema('tags'),
} as const satisfies Record<string, Route>;
