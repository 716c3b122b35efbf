/** How much of the catalog each project holds: one record of counters, changed in the transaction that changes what is counted. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { LimitExceeded } from '../../core/errors.ts';
import { type CatalogLimits, COUNTED, type Counted } from '../../core/metadefs/repository.ts';
import { Expression } from './expression.ts';
import { metadefUseKey } from './keys.ts';
import type { Table } from './table.ts';
import type { ConditionalWrite } from './transact.ts';

export type UseChange = Partial<Readonly<Record<Counted, number>>>;

const WORDS: Readonly<Record<Counted, string>> = {
  namespaces: 'metadata namespaces',
  properties: 'metadata properties',
  objects: 'metadata objects',
  tags: 'metadata tags',
  associations: 'resource type associations',
  types: 'resource types',
};

/**
 * The write that counts; none when nothing changes. Its refusal is a LimitExceeded that names limit, use and request.
 * @param owner null counts as a project of its own
 */
export function useWrites(
  table: Table,
  limits: CatalogLimits,
  owner: string | null,
  change: UseChange,
): ConditionalWrite[] {
  const changes = COUNTED.map((counted) => ({ counted, by: change[counted] ?? 0 })).filter(({ by }) => by !== 0);
  if (changes.length === 0) return [];
  const expression = new Expression();
  for (const { counted, by } of changes) {
    const path = expression.path(counted);
    expression.add(path, expression.value(by));
    const limit = limits[counted];
    if (by < 0 || limit < 0) continue;
    const room = expression.value(limit - by);
    // A counter that is not there yet stands for 0.
    const whenNew = by <= limit ? `attribute_not_exists(${path}) OR ` : '';
    expression.require(`${whenNew}${path} <= ${room}`);
  }
  const Key = metadefUseKey(owner ?? '');
  const write = {
    TableName: table.name,
    Key,
    UpdateExpression: expression.update,
    ...(expression.condition !== undefined && { ConditionExpression: expression.condition }),
    ...expression.placeholders,
  };
  const refused = async (cause: unknown) => {
    const { Item = {} } = await table.client.send(new GetCommand({ TableName: table.name, Key, ConsistentRead: true }));
    const over =
      changes.find(
        ({ counted, by }) => by > 0 && limits[counted] >= 0 && Number(Item[counted] ?? 0) + by > limits[counted],
      ) ?? changes[0];
    const counted = over?.counted ?? 'namespaces';
    return new LimitExceeded(
      `Project ${owner} may hold ${limits[counted]} ${WORDS[counted]}; it holds ${Number(Item[counted] ?? 0)}, ${over?.by ?? 0} more were asked for.`,
      { cause },
    );
  };
  return [{ item: { Update: write }, refused }];
}
