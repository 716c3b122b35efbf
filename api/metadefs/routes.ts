import type { Method, Route } from '../routes.ts';

const metadef = (method: Method, path: string, success: number) =>
  ({ method, path, group: 'metadefs', success, auth: 'token' }) as const;
const bodiless = (method: Method, path: string, success: number) =>
  ({ ...metadef(method, path, success), body: 'refused' }) as const;
const schema = (name: string) => bodiless('GET', `/v2/schemas/metadefs/${name}`, 200);

const NAMESPACES = '/v2/metadefs/namespaces';
const NAMESPACE = `${NAMESPACES}/{namespace}`;

/** The metadata definitions catalog (contract: metadefs.md section 1, schemas.md section 1). */
export const METADEF_ROUTES = {
  listResourceTypes: bodiless('GET', '/v2/metadefs/resource_types', 200),
  /** Ours: the original forgets resource types only by hand in the database. Needed to unload a catalog. */
  deleteResourceType: bodiless('DELETE', '/v2/metadefs/resource_types/{resource_type}', 204),
  listNamespaces: metadef('GET', NAMESPACES, 200),
  createNamespace: metadef('POST', NAMESPACES, 201),
  showNamespace: bodiless('GET', NAMESPACE, 200),
  updateNamespace: metadef('PUT', NAMESPACE, 200),
  deleteNamespace: bodiless('DELETE', NAMESPACE, 204),
  listAssociations: bodiless('GET', `${NAMESPACE}/resource_types`, 200),
  associateResourceType: metadef('POST', `${NAMESPACE}/resource_types`, 201),
  dissociateResourceType: bodiless('DELETE', `${NAMESPACE}/resource_types/{resource_type}`, 204),
  listProperties: bodiless('GET', `${NAMESPACE}/properties`, 200),
  createProperty: metadef('POST', `${NAMESPACE}/properties`, 201),
  deleteProperties: metadef('DELETE', `${NAMESPACE}/properties`, 204),
  showProperty: metadef('GET', `${NAMESPACE}/properties/{name}`, 200),
  updateProperty: metadef('PUT', `${NAMESPACE}/properties/{name}`, 200),
  deleteProperty: metadef('DELETE', `${NAMESPACE}/properties/{name}`, 204),
  listObjects: metadef('GET', `${NAMESPACE}/objects`, 200),
  createObject: metadef('POST', `${NAMESPACE}/objects`, 201),
  deleteObjects: metadef('DELETE', `${NAMESPACE}/objects`, 204),
  showObject: bodiless('GET', `${NAMESPACE}/objects/{name}`, 200),
  updateObject: metadef('PUT', `${NAMESPACE}/objects/{name}`, 200),
  deleteObject: bodiless('DELETE', `${NAMESPACE}/objects/{name}`, 204),
  listMetadefTags: metadef('GET', `${NAMESPACE}/tags`, 200),
  createMetadefTags: metadef('POST', `${NAMESPACE}/tags`, 201),
  deleteMetadefTags: metadef('DELETE', `${NAMESPACE}/tags`, 204),
  showMetadefTag: bodiless('GET', `${NAMESPACE}/tags/{name}`, 200),
  createMetadefTag: bodiless('POST', `${NAMESPACE}/tags/{name}`, 201),
  updateMetadefTag: metadef('PUT', `${NAMESPACE}/tags/{name}`, 200),
  deleteMetadefTag: bodiless('DELETE', `${NAMESPACE}/tags/{name}`, 204),
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
