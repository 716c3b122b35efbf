/** The catalog's routes (group `metadefs` of api/routes.ts) as one entry point, built from the dependencies of a process. */
import { METADEF_DOCUMENTS } from '../../api/metadefs/documents.ts';
import { type GroupOperations, ROUTES } from '../../api/routes.ts';
import type { Authenticator } from '../../core/identity/authenticator.ts';
import type { Log } from '../../core/log.ts';
import type { MetadefDeps } from '../../core/metadefs/access.ts';
import { type ApiHandler, createApiHandler } from './chain.ts';
import { metadefTagOperations, objectOperations, propertyOperations } from './metadefs/children.ts';
import { namespaceOperations } from './metadefs/namespaces.ts';

type MetadefOperation = GroupOperations<'metadefs'>;

/** Builds the handler of payload-v2 events. Stateless: any number may run side by side. */
export function createMetadefsApi(
  deps: MetadefDeps & { readonly log: Log },
  { authenticator }: { readonly authenticator: Authenticator },
): ApiHandler {
  return createApiHandler<MetadefOperation>({
    routes: ROUTES,
    handlers: {
      ...namespaceOperations(deps),
      ...propertyOperations(deps),
      ...objectOperations(deps),
      ...metadefTagOperations(deps),
      showNamespaceSchema: async () => METADEF_DOCUMENTS.namespace,
      showNamespacesSchema: async () => METADEF_DOCUMENTS.namespaces,
      showResourceTypeSchema: async () => METADEF_DOCUMENTS.resource_type,
      showResourceTypesSchema: async () => METADEF_DOCUMENTS.resource_types,
      showPropertySchema: async () => METADEF_DOCUMENTS.property,
      showPropertiesSchema: async () => METADEF_DOCUMENTS.properties,
      showObjectSchema: async () => METADEF_DOCUMENTS.object,
      showObjectsSchema: async () => METADEF_DOCUMENTS.objects,
      showTagSchema: async () => METADEF_DOCUMENTS.tag,
      showTagsSchema: async () => METADEF_DOCUMENTS.tags,
    },
    responseHeaders: {
      createNamespace: (value, { baseUrl }) => ({
        // A header holds ASCII; names may hold anything.
        location: baseUrl + encodeURI((value as { readonly self: string }).self),
      }),
    },
    config: deps.config,
    authenticator,
    newId: deps.newId,
    log: deps.log,
  });
}
