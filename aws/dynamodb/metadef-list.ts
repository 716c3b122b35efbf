/** Pages of namespaces: the merge of the partitions that the caller sees, by creation or by name in the order of an index. */
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { compareNamespaces, type Namespace } from '../../core/metadefs/namespace.ts';
import type { MetadefRepository, NamespaceQuery } from '../../core/metadefs/repository.ts';
import { Expression } from './expression.ts';
import { byCreated, namespaceOwnerPartition, namespaceVisibilityPartition } from './keys.ts';
import { mergeOrdered, topOf } from './merge-ordered.ts';
import { namespaceOf } from './metadef-item.ts';
import type { Table } from './table.ts';

interface Source {
  readonly kind: 'owner' | 'visibility';
  readonly partition: string;
}

/** Rows of one query when filters throw some away, and when all are wanted. */
const FEWEST_ROWS = 100;
const MOST_ROWS = 1_000;

export function createNamespacePages(table: Table): Pick<MetadefRepository, 'page'> {
  const recent = table.recent.namespaces;

  async function* namespacesOf(source: Source, query: NamespaceQuery): AsyncGenerator<Namespace> {
    const order = indexedOrder(query);
    const index = indexOf(source, order ?? 'created');
    const expression = new Expression();
    const keys = keyCondition(expression, index, source.partition, query, order);
    let start: Record<string, unknown> | undefined;
    do {
      const page = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          IndexName: index,
          KeyConditionExpression: keys,
          ...expression.placeholders,
          ScanIndexForward: query.sort.direction === 'asc',
          Limit: order === undefined ? MOST_ROWS : rowsOf(source, query),
          ExclusiveStartKey: start,
        }),
      );
      yield* (page.Items ?? [])
        .map(namespaceOf)
        .filter((namespace) => !recent.has(namespace.id) && isWanted(namespace, query));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  /** The namespaces of a source that this process has just written, in order, as they were written. */
  async function* justWritten(source: Source, query: NamespaceQuery): AsyncGenerator<Namespace> {
    yield* recent
      .values()
      .filter((namespace) => partitionOf(source.kind, namespace) === source.partition && isWanted(namespace, query))
      .sort(compareNamespaces(query.sort));
  }

  return {
    async page(query) {
      if (query.limit === 0) return { namespaces: [], more: false };
      const streams = sourcesOf(query).flatMap((source) => [namespacesOf(source, query), justWritten(source, query)]);
      const compare = compareNamespaces(query.sort);
      if (indexedOrder(query) === undefined) {
        const { images: namespaces, more } = await topOf(streams, compare, query.limit);
        return { namespaces, more };
      }
      const namespaces: Namespace[] = [];
      for await (const namespace of mergeOrdered(streams, compare)) {
        namespaces.push(namespace);
        if (namespaces.length === query.limit) return { namespaces, more: true };
      }
      return { namespaces, more: false };
    },
  };
}

/** The partition of this kind that lists a namespace, if one does. */
function partitionOf(kind: Source['kind'], { owner, visibility }: Namespace): string | undefined {
  if (kind === 'visibility') return namespaceVisibilityPartition(visibility);
  return owner === null ? undefined : namespaceOwnerPartition(owner);
}

/** As many as the page needs; more when filters throw some away. */
function rowsOf(source: Source, { resourceTypes, limit }: NamespaceQuery): number {
  return resourceTypes !== undefined || source.kind === 'owner' ? Math.max(limit, FEWEST_ROWS) : limit;
}

/** The partitions that together hold what the caller sees; a namespace may be in two of them. */
function sourcesOf({ reach, visibility }: NamespaceQuery): Source[] {
  const sources: Source[] = [];
  const ofVisibility = (value: string) =>
    sources.push({ kind: 'visibility', partition: namespaceVisibilityPartition(value) });
  if (visibility !== 'private') ofVisibility('public');
  if (visibility === 'public') return sources;
  if (reach === 'all') ofVisibility('private');
  else if (reach.project !== null) sources.push({ kind: 'owner', partition: namespaceOwnerPartition(reach.project) });
  return sources;
}

function isWanted(namespace: Namespace, { visibility, resourceTypes, marker, sort }: NamespaceQuery): boolean {
  if (visibility !== undefined && namespace.visibility !== visibility) return false;
  if (
    resourceTypes !== undefined &&
    !namespace.associations.some(({ resourceType }) => resourceTypes.includes(resourceType))
  )
    return false;
  return marker === undefined || compareNamespaces(sort)(namespace, marker) > 0;
}

type Order = 'created' | 'name';

function indexedOrder({ sort }: NamespaceQuery): Order | undefined {
  if (sort.key === 'createdAt') return 'created';
  return sort.key === 'name' ? 'name' : undefined;
}

function indexOf(source: Source, order: Order): 'gsi1' | 'gsi2' | 'gsi3' | 'gsi4' {
  if (source.kind === 'owner') return order === 'created' ? 'gsi1' : 'gsi2';
  return order === 'created' ? 'gsi3' : 'gsi4';
}

function keyCondition(
  expression: Expression,
  index: string,
  partition: string,
  { marker, sort }: NamespaceQuery,
  order: Order | undefined,
): string {
  const inPartition = `${expression.path(`${index}pk`)} = ${expression.value(partition)}`;
  if (marker === undefined || order === undefined) return inPartition;
  const from = order === 'created' ? byCreated(marker.createdAt, marker.id) : marker.name;
  const beyond = sort.direction === 'asc' ? '>' : '<';
  return `${inPartition} AND ${expression.path(`${index}sk`)} ${beyond} ${expression.value(from)}`;
}
