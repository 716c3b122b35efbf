import type { Handlers } from '../../../api/handlers.ts';
import { associationOf, draftOf, fieldsOf } from '../../../api/metadefs/drafts.ts';
import {
  associationView,
  createdNamespaceView,
  namespaceView,
  resourceTypeView,
  wholeNamespaceView,
} from '../../../api/metadefs/views.ts';
import { pageLinks } from '../../../api/page-links.ts';
import type { MetadefDeps } from '../../../core/metadefs/access.ts';
import {
  createNamespace,
  deleteNamespace,
  listNamespaces,
  showNamespace,
  updateNamespace,
} from '../../../core/metadefs/namespaces.ts';
import {
  associate,
  dissociate,
  listAssociations,
  listResourceTypes,
  removeResourceType,
} from '../../../core/metadefs/resource-types.ts';

type NamespaceOperation =
  | 'listResourceTypes'
  | 'deleteResourceType'
  | 'listNamespaces'
  | 'createNamespace'
  | 'showNamespace'
  | 'updateNamespace'
  | 'deleteNamespace'
  | 'listAssociations'
  | 'associateResourceType'
  | 'dissociateResourceType';

export function namespaceOperations(deps: MetadefDeps): Handlers<NamespaceOperation> {
  return {
    listResourceTypes: async ({ caller }) => ({
      resource_types: (await listResourceTypes(deps, caller)).map(resourceTypeView),
    }),
    deleteResourceType: ({ params, caller }) => removeResourceType(deps, caller, params.resource_type),
    listNamespaces: async ({ query, search, caller }) => {
      const { namespaces, lastName } = await listNamespaces(deps, caller, query());
      return {
        namespaces: namespaces.map(namespaceView),
        ...pageLinks('/v2/metadefs/namespaces', search, lastName),
        schema: '/v2/schemas/metadefs/namespaces',
      };
    },
    createNamespace: async ({ body, baseUrl, caller }) => {
      const value = createdNamespaceView(await createNamespace(deps, caller, draftOf(body())));
      // A header holds ASCII; names may hold anything.
      return { value, headers: { location: baseUrl + encodeURI(value.self) } };
    },
    showNamespace: async ({ params, query, caller }) => {
      const whole = await showNamespace(deps, caller, params.namespace);
      return wholeNamespaceView(whole, query());
    },
    updateNamespace: async ({ params, body, caller }) =>
      namespaceView(await updateNamespace(deps, caller, params.namespace, fieldsOf(body()))),
    deleteNamespace: ({ params, caller }) => deleteNamespace(deps, caller, params.namespace),
    listAssociations: async ({ params, caller }) => {
      const associations = await listAssociations(deps, caller, params.namespace);
      return { resource_type_associations: associations.map(associationView) };
    },
    associateResourceType: async ({ params, body, caller }) =>
      associationView(await associate(deps, caller, params.namespace, associationOf(body()))),
    dissociateResourceType: ({ params, caller }) => dissociate(deps, caller, params.namespace, params.resource_type),
  };
}
