import type { Config } from '../config.ts';
import type { CatalogLimits } from './repository.ts';

/** How much of the catalog one project may hold. */
export function catalogLimits(config: Config): CatalogLimits {
  return {
    namespaces: config.metadef_namespace_quota,
    properties: config.metadef_property_quota,
    objects: config.metadef_object_quota,
    tags: config.metadef_tag_quota,
    associations: config.metadef_resource_type_quota,
    types: config.metadef_resource_type_quota,
  };
}
