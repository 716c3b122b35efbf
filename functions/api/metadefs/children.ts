import type { Handlers } from '../../../api/handlers.ts';
import { ObjectBody, PropertyBody, TagBody, TagsBody } from '../../../api/metadefs/definition-schemas.ts';
import { childOf } from '../../../api/metadefs/drafts.ts';
import { checkObjectQuery, isAppending, pageOfTags } from '../../../api/metadefs/list-query.ts';
import { readBody } from '../../../api/metadefs/read-body.ts';
import { dictionaryView, objectView, propertyView, tagView, writtenObjectView } from '../../../api/metadefs/views.ts';
import type { MetadefDeps } from '../../../core/metadefs/access.ts';
import {
  addChild,
  listChildren,
  removeChild,
  removeChildren,
  replaceChild,
  setTags,
  showChild,
} from '../../../core/metadefs/children.ts';

type Params = Readonly<Record<string, string>>;

/** The namespace and the child that a path names. */
const namespaceIn = (params: Params): string => params['namespace'] ?? '';
const nameIn = (params: Params): string => params['name'] ?? '';

type PropertyOperation =
  | 'listProperties'
  | 'createProperty'
  | 'deleteProperties'
  | 'showProperty'
  | 'updateProperty'
  | 'deleteProperty';

export function propertyOperations(deps: MetadefDeps): Handlers<PropertyOperation> {
  return {
    listProperties: async ({ params, caller }) => {
      const { children } = await listChildren(deps, caller, namespaceIn(params), 'properties');
      return { properties: dictionaryView(children) };
    },
    createProperty: async (request) => {
      const given = childOf(readBody(request, PropertyBody));
      const { child } = await addChild(deps, request.caller, namespaceIn(request.params), 'properties', given);
      return propertyView(child);
    },
    deleteProperties: ({ params, caller }) => removeChildren(deps, caller, namespaceIn(params), 'properties'),
    showProperty: async ({ params, query, caller }) => {
      const type = query.get('resource_type') ?? undefined;
      const { child } = await showChild(deps, caller, namespaceIn(params), 'properties', nameIn(params), type);
      return propertyView(child);
    },
    updateProperty: async (request) => {
      const { params, caller } = request;
      const given = childOf(readBody(request, PropertyBody));
      const { child } = await replaceChild(deps, caller, namespaceIn(params), 'properties', nameIn(params), given);
      return propertyView(child);
    },
    deleteProperty: ({ params, caller }) =>
      removeChild(deps, caller, namespaceIn(params), 'properties', nameIn(params)),
  };
}

type ObjectOperation =
  | 'listObjects'
  | 'createObject'
  | 'deleteObjects'
  | 'showObject'
  | 'updateObject'
  | 'deleteObject';

export function objectOperations(deps: MetadefDeps): Handlers<ObjectOperation> {
  return {
    listObjects: async ({ params, query, caller }) => {
      checkObjectQuery(query, deps.config);
      const { namespace, children } = await listChildren(deps, caller, namespaceIn(params), 'objects');
      // The original forgets the leading slash, and clients compare.
      return { objects: children.map((child) => objectView(namespace, child)), schema: 'v2/schemas/metadefs/objects' };
    },
    createObject: async (request) => {
      const given = childOf(readBody(request, ObjectBody));
      const { namespace, child } = await addChild(deps, request.caller, namespaceIn(request.params), 'objects', given);
      return writtenObjectView(namespace, child);
    },
    deleteObjects: ({ params, caller }) => removeChildren(deps, caller, namespaceIn(params), 'objects'),
    showObject: async ({ params, caller }) => {
      const { namespace, child } = await showChild(deps, caller, namespaceIn(params), 'objects', nameIn(params));
      return objectView(namespace, child);
    },
    updateObject: async (request) => {
      const { params, caller } = request;
      const given = childOf(readBody(request, ObjectBody));
      const changed = await replaceChild(deps, caller, namespaceIn(params), 'objects', nameIn(params), given);
      return writtenObjectView(changed.namespace, changed.child);
    },
    deleteObject: ({ params, caller }) => removeChild(deps, caller, namespaceIn(params), 'objects', nameIn(params)),
  };
}

type TagOperation =
  | 'listMetadefTags'
  | 'createMetadefTags'
  | 'deleteMetadefTags'
  | 'showMetadefTag'
  | 'createMetadefTag'
  | 'updateMetadefTag'
  | 'deleteMetadefTag';

export function metadefTagOperations(deps: MetadefDeps): Handlers<TagOperation> {
  return {
    listMetadefTags: async ({ params, query, caller }) => {
      const { children } = await listChildren(deps, caller, namespaceIn(params), 'tags');
      return { tags: pageOfTags(children, query, deps.config).map(({ name }) => ({ name })) };
    },
    createMetadefTags: async (request) => {
      const names = readBody(request, TagsBody).tags.map(({ name }) => name);
      const append = isAppending(request.headers);
      const tags = await setTags(deps, request.caller, namespaceIn(request.params), names, { append });
      return { tags: tags.map(({ name }) => ({ name })) };
    },
    deleteMetadefTags: ({ params, caller }) => removeChildren(deps, caller, namespaceIn(params), 'tags'),
    showMetadefTag: async ({ params, caller }) => {
      const { child } = await showChild(deps, caller, namespaceIn(params), 'tags', nameIn(params));
      return tagView(child);
    },
    createMetadefTag: async ({ params, caller }) => {
      const given = { name: nameIn(params), definition: {} };
      const { child } = await addChild(deps, caller, namespaceIn(params), 'tags', given);
      return tagView(child);
    },
    updateMetadefTag: async (request) => {
      const { params, caller } = request;
      const given = childOf(readBody(request, TagBody));
      const { child } = await replaceChild(deps, caller, namespaceIn(params), 'tags', nameIn(params), given);
      return tagView(child);
    },
    deleteMetadefTag: ({ params, caller }) => removeChild(deps, caller, namespaceIn(params), 'tags', nameIn(params)),
  };
}
