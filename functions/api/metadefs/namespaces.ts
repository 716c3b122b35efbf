import type { Handlers } from '../../../api/handlers.ts';
import { AssociationBody, NamespaceBody, NamespaceUpdate } from '../../../api/metadefs/definition-schemas.ts';
import { associationOf, draftOf, fieldsOf } from '../../../api/metadefs/drafts.ts';
import { parseNamespaceQuery } from '../../../api/metadefs/list-query.ts';
import { readBody } from '../../../api/metadefs/read-body.ts';
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
    deleteResourceType: ({ params, caller }) => removeResourceType(deps, caller, params['resource_type'] ?? ''),
    listNamespaces: async ({ query, caller }) => {
      const asked = parseNamespaceQuery(query, deps.config);
      const { namespaces, lastName } = await listNamespaces(deps, caller, asked);
      return {
        namespaces: namespaces.map(namespaceView),
        ...pageLinks('/v2/metadefs/namespaces', query, lastName),
        schema: '/v2/schemas/metadefs/namespaces',
      };
    },
    createNamespace: async (request) => {
      const draft = draftOf(readBody(request, NamespaceBody));
      return createdNamespaceView(await createNamespace(deps, request.caller, draft));
    },
    showNamespace: async ({ params, query, caller }) => {
      const whole = await showNamespace(deps, caller, params['namespace'] ?? '');
      return wholeNamespaceView(whole, query.get('resource_type') ?? undefined);
    },
    updateNamespace: async (request) => {
      const fields = fieldsOf(readBody(request, NamespaceUpdate));
      return namespaceView(await updateNamespace(deps, request.caller, request.params['namespace'] ?? '', fields));
    },
    deleteNamespace: ({ params, caller }) => deleteNamespace(deps, caller, params['namespace'] ?? ''),
    listAssociations: async ({ params, caller }) => {
      const associations = await listAssociations(deps, caller, params['namespace'] ?? '');
      return { resource_type_associations: associations.map(associationView) };
    },
    associateResourceType: async (request) => {
      const given = associationOf(readBody(request, AssociationBody));
      return associationView(await associate(deps, request.caller, request.params['namespace'] ?? '', given));
    },
    dissociateResourceType: ({ params, caller }) =>
      dissociate(deps, caller, params['namespace'] ?? '', params['resource_type'] ?? ''),
  };
}
