/** How a list walks the partitions of its images: by which index, in which direction, from where on. */
import type { Image } from '../../core/images/image.ts';
import type { Filter, ImageQuery, SortTerm } from '../../core/images/query.ts';
import type { Expression } from './expression.ts';
import type { Source } from './image-sources.ts';
import { byCreated, byName } from './keys.ts';

/** How one query walks its sources. */
export interface Walk {
  readonly query: ImageQuery;
  readonly order: 'created' | 'name';
  readonly direction: 'asc' | 'desc';
  /** False when the order is not the index's: then every row is read and there is no start. */
  readonly ordered: boolean;
  /** Only images of this name, by the name index. */
  readonly name?: string;
  /** This process's latest writes by partition. */
  readonly written: ReadonlyMap<string, readonly Image[]>;
  /** Rows looked at so far. */
  rows: number;
  /** Rows that the page took of each partition. */
  readonly used: Map<string, number>;
}

/** The walk that answers a query with the fewest rows. */
export function walkOf(query: ImageQuery): Pick<Walk, 'query' | 'order' | 'direction' | 'ordered' | 'name'> {
  const index = indexedOrder(query.sort);
  const name = singleName(query.filters);
  if (name !== undefined) return { query, order: 'name', direction: 'asc', ordered: false, name };
  if (index === undefined) return { query, order: 'created', direction: 'asc', ordered: false };
  return { query, ...index, ordered: true };
}

/** The index that has this order, if one does: all terms in one direction, ending in creation and id. */
function indexedOrder(sort: readonly SortTerm[]): Pick<Walk, 'order' | 'direction'> | undefined {
  const direction = sort[0]?.direction ?? 'desc';
  if (sort.some((term) => term.direction !== direction)) return undefined;
  const keys = sort.map((term) => term.key).join(' ');
  if (keys.startsWith('createdAt id')) return { order: 'created', direction };
  return keys.startsWith('name createdAt id') ? { order: 'name', direction } : undefined;
}

function singleName(filters: readonly Filter[]): string | undefined {
  const found = filters.find((filter) => filter.kind === 'equal' && filter.attribute === 'name');
  return found?.kind === 'equal' && found.values.length === 1 ? String(found.values[0]) : undefined;
}

type IndexName = 'gsi1' | 'gsi2' | 'gsi3' | 'gsi4';

export function indexOf(source: Source, { order }: Walk): IndexName {
  if (source.kind === 'owner') return order === 'created' ? 'gsi1' : 'gsi2';
  return order === 'created' ? 'gsi3' : 'gsi4';
}

/** One partition, from the marker on in its direction; or one name of it. */
export function keyCondition(
  expression: Expression,
  index: IndexName,
  partition: string,
  walk: Walk | undefined,
): string {
  const inPartition = `${expression.path(`${index}pk`)} = ${expression.value(partition)}`;
  const sortKey = () => expression.path(`${index}sk`);
  if (walk?.name !== undefined)
    return `${inPartition} AND begins_with(${sortKey()}, ${expression.value(`1${walk.name}\u0000`)})`;
  const marker = walk?.query.marker;
  if (walk === undefined || marker === undefined || !walk.ordered) return inPartition;
  const from =
    walk.order === 'created'
      ? byCreated(marker.createdAt, marker.id)
      : byName(marker.name, marker.createdAt, marker.id);
  return `${inPartition} AND ${sortKey()} ${walk.direction === 'asc' ? '>' : '<'} ${expression.value(from)}`;
}
