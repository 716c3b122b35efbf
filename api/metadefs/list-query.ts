/** Query parameters of the catalog's lists (contract: metadefs.md sections 3, 6 and 7). */
import type { Config } from '../../core/config.ts';
import { InvalidInput, NotFound } from '../../core/errors.ts';
import {
  type Child,
  compareValues,
  NAMESPACE_VISIBILITIES,
  type NamespaceSortKey,
} from '../../core/metadefs/namespace.ts';
import type { NamespaceListRequest } from '../../core/metadefs/namespaces.ts';
import { onlyValue, pageLimit } from '../paging.ts';

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

/** @throws InvalidInput naming the parameter */
export function parseNamespaceQuery(query: URLSearchParams, config: PageConfig): NamespaceListRequest {
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
export function checkObjectQuery(query: URLSearchParams, config: PageConfig): void {
  pageLimit(query, config);
  oneOf(query, 'visibility', NAMESPACE_VISIBILITIES);
}

const TAG_KEYS = { name: 'name', created_at: 'createdAt', updated_at: 'updatedAt' } as const;

/** Tags in the order asked for, after the marker, all of them unless a limit is given. @throws InvalidInput, NotFound */
export function pageOfTags(tags: readonly Child[], query: URLSearchParams, config: PageConfig): readonly Child[] {
  oneOf(query, 'visibility', ['public', 'private', 'shared']);
  const key = sortKey(query, TAG_KEYS);
  const sign = direction(query) === 'asc' ? 1 : -1;
  const ordered = tags.toSorted((a, b) => sign * (compareValues(a[key], b[key]) || compareValues(a.name, b.name)));
  const limit = query.has('limit') ? pageLimit(query, config) : ordered.length;
  const marker = onlyValue(query, 'marker');
  const from = marker === null ? 0 : ordered.findIndex(({ name }) => name === marker) + 1;
  if (marker !== null && from === 0) throw new NotFound(`Metadata definition tag ${marker} was not found.`);
  return ordered.slice(from, from + limit);
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

function oneOf<T extends string>(query: URLSearchParams, key: string, allowed: readonly T[]): T | undefined {
  const given = onlyValue(query, key);
  if (given === null) return undefined;
  const found = allowed.find((value) => value === given);
  if (found === undefined) throw new InvalidInput(`Invalid ${key} value: ${given}; allowed: ${allowed.join(', ')}`);
  return found;
}

const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

/** `X-Openstack-Append`. */
export function isAppending(headers: Readonly<Record<string, string | undefined>>): boolean {
  return TRUE.has((headers['x-openstack-append'] ?? '').trim().toLowerCase());
}
