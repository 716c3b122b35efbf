/** Resource types: one partition, made when first needed, counted to the project that needed them. */
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import { NotFound } from '../../core/errors.ts';
import type { CatalogLimits, MetadefRepository } from '../../core/metadefs/repository.ts';
import { RESOURCE_TYPES, resourceTypeKey } from './keys.ts';
import { useWrites } from './metadef-use.ts';
import { queryAll } from './query-all.ts';
import { isConditionFailure, type Table } from './table.ts';
import { transact } from './transact.ts';

export interface ResourceTypeRecords extends Pick<MetadefRepository, 'resourceTypes' | 'removeResourceType'> {
  /** Makes those that do not exist yet. @throws LimitExceeded */
  ensureTypes(owner: string | null, names: readonly string[]): Promise<void>;
}

export function createResourceTypeRecords(
  table: Table,
  { clock, limits }: { readonly clock: Clock; readonly limits: CatalogLimits },
): ResourceTypeRecords {
  async function resourceTypes() {
    const types = [];
    for await (const item of queryAll(table, {
      KeyConditionExpression: 'pk = :types',
      ExpressionAttributeValues: { ':types': RESOURCE_TYPES },
      ConsistentRead: true,
    })) {
      const at = String(item['created_at']);
      types.push({ name: String(item['name']), createdAt: at, updatedAt: at });
    }
    return types;
  }

  async function makeType(owner: string | null, name: string): Promise<void> {
    const Item = { ...resourceTypeKey(name), name, owner, created_at: new Date(clock.now()).toISOString() };
    const existing = new Exists();
    try {
      await transact(table, [
        {
          item: { Put: { TableName: table.name, Item, ConditionExpression: 'attribute_not_exists(pk)' } },
          refused: () => existing,
        },
        ...useWrites(table, limits, owner, { types: 1 }),
      ]);
    } catch (error) {
      if (error !== existing) throw error;
    }
  }

  return {
    resourceTypes,

    async ensureTypes(owner, names) {
      if (names.length === 0) return;
      const known = new Set((await resourceTypes()).map(({ name }) => name));
      for (const name of names) if (!known.has(name)) await makeType(owner, name);
    },

    async removeResourceType(name) {
      try {
        const { Attributes } = await table.client.send(
          new DeleteCommand({
            TableName: table.name,
            Key: resourceTypeKey(name),
            ConditionExpression: 'attribute_exists(pk)',
            ReturnValues: 'ALL_OLD',
          }),
        );
        const owner = Attributes?.['owner'];
        await transact(table, useWrites(table, limits, typeof owner === 'string' ? owner : null, { types: -1 }));
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
        throw new NotFound(`Resource type ${name} was not found.`, { cause: error });
      }
    },
  };
}

/** Another request was faster: just as well. */
class Exists extends Error {}
