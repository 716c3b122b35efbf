/** Query parameters of the catalog's lists (contract: metadefs.md sections 3, 6 and 7). */

import { z } from 'zod';
import type { Config } from '../../core/config.ts';
import { InvalidInput, NotFound } from '../../core/errors.ts';
import {
  type Child,
  compareValues,
  NAMESPACE_VISIBILITIES,
  type NamespaceSortKey,
} from '../../core/metadefs/namespace.ts';
import type { NamespaceListRequest } from '../../core/metadefs/namespaces.ts';
import { oneOf, onlyValue, pageLimit } from '../paging.ts';
import { queryOf } from '../query.ts';
import type { Settings } from '../route.ts';

type PageConfig = Pick<Config, 'limit_param_default' | 'api_limit_max'>;

const NAMESPACE_KEYS: Readonly<Record<string, NamespaceSortKey>> = {
  namespace: 'name',
  display_name: 'displayName',
  description: 'description',
  visibility: 'visibility',
  protected: 'protected',
  owner: 'owner',
  id: 'id',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};

/** Query of GET namespaces. @throws InvalidInput naming the parameter */
export const NamespaceListQuery = (settings: Settings) =>
  queryOf(['limit', 'marker', 'sort_key', 'sort_dir', 'visibility', 'resource_types'], (query) =>
    parseNamespaceQuery(query, settings),
  );

function parseNamespaceQuery(query: URLSearchParams, config: PageConfig): NamespaceListRequest {
  const marker = onlyValue(query, 'marker');
  const visibility = oneOf(query, 'visibility', NAMESPACE_VISIBILITIES);
  const types = onlyValue(query, 'resource_types');
  return {
    limit: pageLimit(query, config),
    sort: { key: sortKey(query, NAMESPACE_KEYS), direction: direction(query) },
    ...(marker !== null && { markerName: marker }),
    ...(visibility !== undefined && { visibility }),
    ...(types !== null && { resourceTypes: types.split(',').map((type) => type.trim()) }),
  };
}

/** Objects are not paged; what the request says must make sense all the same. @throws InvalidInput */
export const ObjectListQuery = (settings: Settings) =>
  queryOf(['limit', 'visibility'], (query): void => {
    pageLimit(query, settings);
    oneOf(query, 'visibility', NAMESPACE_VISIBILITIES);
  });

/** The resource type whose prefix names are to have. */
export const ResourceTypeQuery = queryOf(['resource_type'], (query) => query.get('resource_type') ?? undefined);

const TAG_KEYS = { name: 'name', created_at: 'createdAt', updated_at: 'updatedAt' } as const;

export interface TagPage {
  readonly key: (typeof TAG_KEYS)[keyof typeof TAG_KEYS];
  readonly direction: 'asc' | 'desc';
  /** All when absent. */
  readonly limit?: number;
  readonly marker: string | null;
}

/** Query of GET tags. @throws InvalidInput */
export const TagListQuery = (settings: Settings) =>
  queryOf(['limit', 'marker', 'sort_key', 'sort_dir', 'visibility'], (query): TagPage => {
    oneOf(query, 'visibility', ['public', 'private', 'shared']);
    return {
      key: sortKey(query, TAG_KEYS),
      direction: direction(query),
      ...(query.has('limit') && { limit: pageLimit(query, settings) }),
      marker: onlyValue(query, 'marker'),
    };
  });

/** Tags in the order asked for, after the marker. @throws NotFound when there is no such marker */
export function pageOfTags(tags: readonly Child[], { key, direction, limit, marker }: TagPage): readonly Child[] {
  const sign = direction === 'asc' ? 1 : -1;
  const ordered = tags.toSorted((a, b) => sign * (compareValues(a[key], b[key]) || compareValues(a.name, b.name)));
  const from = marker === null ? 0 : ordered.findIndex(({ name }) => name === marker) + 1;
  if (marker !== null && from === 0) throw new NotFound(`Metadata definition tag ${marker} was not found.`);
  return ordered.slice(from, from + (limit ?? ordered.length));
}

function sortKey<T>(query: URLSearchParams, keys: Readonly<Record<string, T>>): T {
  const given = onlyValue(query, 'sort_key') ?? 'created_at';
  const key = Object.hasOwn(keys, given) ? keys[given] : undefined;
  if (key === undefined) throw new InvalidInput(`Invalid sort_key: ${given}; allowed: ${Object.keys(keys).join(', ')}`);
  return key;
}

function direction(query: URLSearchParams): 'asc' | 'desc' {
  return oneOf(query, 'sort_dir', ['asc', 'desc']) ?? 'desc';
}

const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

/** Whether tags are added to those there are, instead of replacing them. */
export const AppendHeader = z.object({
  'x-openstack-append': z
    .string()
    .default('')
    .transform((text) => TRUE.has(text.trim().toLowerCase())),
});
