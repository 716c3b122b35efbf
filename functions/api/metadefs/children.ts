import type { Handlers } from '../../../api/handlers.ts';
import { childOf } from '../../../api/metadefs/drafts.ts';
import { pageOfTags } from '../../../api/metadefs/list-query.ts';
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
      const { children } = await listChildren(deps, caller, params.namespace, 'properties');
      return { properties: dictionaryView(children) };
    },
    createProperty: async ({ params, body, caller }) => {
      const given = childOf(body());
      const { child } = await addChild(deps, caller, params.namespace, 'properties', given);
      return propertyView(child);
    },
    deleteProperties: ({ params, caller }) => removeChildren(deps, caller, params.namespace, 'properties'),
    showProperty: async ({ params, query, caller }) => {
      const { child } = await showChild(deps, caller, params.namespace, 'properties', params.name, query());
      return propertyView(child);
    },
    updateProperty: async ({ params, body, caller }) => {
      const given = childOf(body());
      const { child } = await replaceChild(deps, caller, params.namespace, 'properties', params.name, given);
      return propertyView(child);
    },
    deleteProperty: ({ params, caller }) => removeChild(deps, caller, params.namespace, 'properties', params.name),
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
      query();
      const { namespace, children } = await listChildren(deps, caller, params.namespace, 'objects');
      // The original forgets the leading slash, and clients compare.
      return { objects: children.map((child) => objectView(namespace, child)), schema: 'v2/schemas/metadefs/objects' };
    },
    createObject: async ({ params, body, caller }) => {
      const given = childOf(body());
      const { namespace, child } = await addChild(deps, caller, params.namespace, 'objects', given);
      return writtenObjectView(namespace, child);
    },
    deleteObjects: ({ params, caller }) => removeChildren(deps, caller, params.namespace, 'objects'),
    showObject: async ({ params, caller }) => {
      const { namespace, child } = await showChild(deps, caller, params.namespace, 'objects', params.name);
      return objectView(namespace, child);
    },
    updateObject: async ({ params, body, caller }) => {
      const given = childOf(body());
      const changed = await replaceChild(deps, caller, params.namespace, 'objects', params.name, given);
      return writtenObjectView(changed.namespace, changed.child);
    },
    deleteObject: ({ params, caller }) => removeChild(deps, caller, params.namespace, 'objects', params.name),
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
      const { children } = await listChildren(deps, caller, params.namespace, 'tags');
      return { tags: pageOfTags(children, query()).map(({ name }) => ({ name })) };
    },
    createMetadefTags: async ({ params, headers, body, caller }) => {
      const names = body().tags.map(({ name }) => name);
      const append = headers['x-openstack-append'];
      const tags = await setTags(deps, caller, params.namespace, names, { append });
      return { tags: tags.map(({ name }) => ({ name })) };
    },
    deleteMetadefTags: ({ params, caller }) => removeChildren(deps, caller, params.namespace, 'tags'),
    showMetadefTag: async ({ params, caller }) => {
      const { child } = await showChild(deps, caller, params.namespace, 'tags', params.name);
      return tagView(child);
    },
    createMetadefTag: async ({ params, caller }) => {
      const given = { name: params.name, definition: {} };
      const { child } = await addChild(deps, caller, params.namespace, 'tags', given);
      return tagView(child);
    },
    updateMetadefTag: async ({ params, body, caller }) => {
      const given = childOf(body());
      const { child } = await replaceChild(deps, caller, params.namespace, 'tags', params.name, given);
      return tagView(child);
    },
    deleteMetadefTag: ({ params, caller }) => removeChild(deps, caller, params.namespace, 'tags', params.name),
  };
}
