/** Query parameters of GET /v2/images (contract: README.md "Sorting", "Filters of GET /v2/images"), read by tables. */
import type { Config } from '../../core/config.ts';
import { InvalidInput } from '../../core/errors.ts';
import { VISIBILITIES } from '../../core/images/image.ts';
import type { ListRequest } from '../../core/images/list.ts';
import type { Filter, FilterAttribute, SortKey, SortTerm } from '../../core/images/query.ts';
import { MEMBER_STATUSES } from '../../core/members/member.ts';
import { FILTERS, refuseMore } from '../../core/request-limits.ts';
import { oneOf, onlyValue, pageLimit } from '../paging.ts';
import { queryOf } from '../query.ts';
import type { Settings } from '../route.ts';
import { splitValues } from './filter-values.ts';
import { parseTimeFilter } from './time-filter.ts';

const SORT_KEYS: Readonly<Record<string, SortKey>> = {
  name: 'name',
  status: 'status',
  container_format: 'containerFormat',
  disk_format: 'diskFormat',
  size: 'size',
  id: 'id',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};
const CONTROLS = new Set(['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'visibility', 'member_status', 'deleted']);
/** Attributes that take `eq:` and `in:`. */
const OPERATED: Readonly<Record<string, FilterAttribute>> = {
  name: 'name',
  id: 'id',
  status: 'status',
  disk_format: 'diskFormat',
  container_format: 'containerFormat',
};
const PLAIN: Readonly<Record<string, FilterAttribute>> = {
  owner: 'owner',
  checksum: 'checksum',
  os_hash_algo: 'hashAlgo',
  os_hash_value: 'hashValue',
};
const INTEGERS: Readonly<Record<string, FilterAttribute>> = {
  size: 'size',
  virtual_size: 'virtualSize',
  min_ram: 'minRam',
  min_disk: 'minDisk',
};

/** Parameters with a meaning of their own; any other filters by the property of its name. */
const PARAMETERS: readonly string[] = [
  ...CONTROLS,
  ...['tag', 'os_hidden', 'protected', 'created_at', 'updated_at'],
  ...[OPERATED, PLAIN, INTEGERS].flatMap((table) => Object.keys(table)),
  ...Object.keys(INTEGERS).flatMap((name) => [`${name}_min`, `${name}_max`]),
];

/** Query of GET /v2/images. @throws as `parseListQuery` */
export const ImageListQuery = (settings: Settings) => queryOf(PARAMETERS, (query) => parseListQuery(query, settings));

/** @throws InvalidInput naming the parameter; LimitExceeded for too many filters */
export function parseListQuery(
  query: URLSearchParams,
  config: Pick<Config, 'limit_param_default' | 'api_limit_max'>,
): ListRequest {
  const limit = pageLimit(query, config);
  const marker = onlyValue(query, 'marker');
  const visibility = oneOf(query, 'visibility', [...VISIBILITIES, 'all']);
  const conditions = [...query].filter(([key]) => !CONTROLS.has(key));
  refuseMore('filters of a list', conditions.length, FILTERS);
  const filters = conditions.map(([key, value]) => filterOf(key, value));
  return {
    limit,
    ...(marker !== null && { markerId: marker }),
    ...(visibility !== undefined && { visibility }),
    memberStatus: oneOf(query, 'member_status', [...MEMBER_STATUSES, 'all']) ?? 'accepted',
    filters: [...hiddenByDefault(query), ...filters],
    sort: parseSort(query),
  };
}

function hiddenByDefault(query: URLSearchParams): Filter[] {
  return query.has('os_hidden') ? [] : [{ kind: 'equal', attribute: 'hidden', values: [false] }];
}

function filterOf(key: string, value: string): Filter {
  if (key === 'changes-since') throw new InvalidInput('changes-since is not supported');
  if (key === 'tag') return { kind: 'tag', tag: value };
  if (key === 'os_hidden') return { kind: 'equal', attribute: 'hidden', values: [flag(key, value.toLowerCase())] };
  if (key === 'protected') return { kind: 'equal', attribute: 'protected', values: [flag(key, value)] };
  if (key === 'created_at') return parseTimeFilter('createdAt', key, value);
  if (key === 'updated_at') return parseTimeFilter('updatedAt', key, value);
  const attribute = entryOf(OPERATED, key);
  if (attribute !== undefined) return { kind: 'equal', attribute, values: operands(key, value) };
  const plain = entryOf(PLAIN, key);
  if (plain !== undefined) return { kind: 'equal', attribute: plain, values: [value] };
  const integer = entryOf(INTEGERS, key);
  if (integer !== undefined) return { kind: 'equal', attribute: integer, values: [integerOf(key, value)] };
  return boundOf(key, value) ?? { kind: 'property', key, value };
}

function entryOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function flag(key: string, value: string): boolean {
  if (value !== 'true' && value !== 'false')
    throw new InvalidInput(`Invalid ${key} value: ${value}; allowed: true, false`);
  return value === 'true';
}

function integerOf(key: string, value: string): number {
  if (!/^-?\d{1,15}$/.test(value)) throw new InvalidInput(`Invalid ${key} value: '${value}' is not an integer`);
  return Number(value);
}

/** `size_min`, `min_ram_max` and the like. */
function boundOf(key: string, value: string): Filter | undefined {
  const [, name, end] = /^(.+)_(min|max)$/.exec(key) ?? [];
  if (name === undefined) return undefined;
  const bound = integerOf(key, value);
  const attribute = entryOf(INTEGERS, name);
  if (attribute === undefined) throw new InvalidInput(`${key}: ${name} is not an integer attribute of images`);
  return { kind: 'compare', attribute, operator: end === 'min' ? 'gte' : 'lte', value: bound };
}

/** Plain value, `eq:V`, or `in:V1,V2`. */
function operands(key: string, value: string): readonly string[] {
  const colon = value.indexOf(':');
  if (colon === -1) return [value];
  const operator = value.slice(0, colon);
  const operand = value.slice(colon + 1);
  if (operator === 'eq') return [operand];
  if (operator === 'in') return splitValues(key, operand);
  throw new InvalidInput(`Unable to filter by unknown operator '${operator}' in ${key}=${value}`);
}

/** Complete sort terms: what was asked, then creation and id. */
function parseSort(query: URLSearchParams): SortTerm[] {
  const { terms: given, fallback } = query.has('sort') ? sortForm(query) : sortKeyForm(query);
  // A key that comes again decides nothing.
  const terms = given.filter(({ key }, at) => given.findIndex((earlier) => earlier.key === key) === at);
  const missing = (['createdAt', 'id'] as const).filter((key) => !terms.some((term) => term.key === key));
  return [...terms, ...missing.map((key): SortTerm => ({ key, direction: fallback }))];
}

interface Sort {
  readonly terms: readonly SortTerm[];
  /** Direction of the keys that are appended. */
  readonly fallback: SortTerm['direction'];
}

function sortForm(query: URLSearchParams): Sort {
  if (query.has('sort_key') || query.has('sort_dir'))
    throw new InvalidInput('sort cannot be combined with sort_key and sort_dir');
  const terms = query
    .getAll('sort')
    .flatMap((text) => text.split(','))
    .map((text) => {
      const [key = '', direction, ...more] = text.trim().split(':');
      if (more.length > 0) throw new InvalidInput(`Invalid sort value: ${text}`);
      return { key: sortKey(key), direction: direction === undefined ? 'desc' : directionOf(direction) };
    });
  const given = new Set(terms.map((term) => term.direction));
  return { terms, fallback: given.size === 1 ? (terms[0]?.direction ?? 'desc') : 'desc' };
}

function sortKeyForm(query: URLSearchParams): Sort {
  const keys = query.getAll('sort_key').map(sortKey);
  const directions = query.getAll('sort_dir').map(directionOf);
  const wanted = keys.length === 0 ? (['createdAt'] as const) : keys;
  if (directions.length > 1 && directions.length !== wanted.length)
    throw new InvalidInput(
      `${wanted.length} sort_key and ${directions.length} sort_dir: give none, one, or as many as keys`,
    );
  const [only] = directions;
  const terms = wanted.map(
    (key, at): SortTerm => ({
      key,
      direction: (directions.length > 1 ? directions[at] : only) ?? 'desc',
    }),
  );
  return { terms, fallback: directions.length === 1 ? (only ?? 'desc') : 'desc' };
}

function sortKey(key: string): SortKey {
  const found = entryOf(SORT_KEYS, key);
  if (found === undefined)
    throw new InvalidInput(`Invalid sort key: ${key}. It must be one of: ${Object.keys(SORT_KEYS).join(', ')}`);
  return found;
}

function directionOf(text: string): SortTerm['direction'] {
  if (text !== 'asc' && text !== 'desc') throw new InvalidInput(`Invalid sort direction: ${text}`);
  return text;
}
