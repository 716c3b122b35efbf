import type { Handlers } from '../../../api/handlers.ts';
import { METADEF_DOCUMENTS } from '../../../api/metadefs/documents.ts';

type DocumentOperation =
  | 'showNamespaceSchema'
  | 'showNamespacesSchema'
  | 'showResourceTypeSchema'
  | 'showResourceTypesSchema'
  | 'showPropertySchema'
  | 'showPropertiesSchema'
  | 'showObjectSchema'
  | 'showObjectsSchema'
  | 'showTagSchema'
  | 'showTagsSchema';

/** The documents of /v2/schemas/metadefs. */
export function documentOperations(): Handlers<DocumentOperation> {
  return {
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
  };
}
