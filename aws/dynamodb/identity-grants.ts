import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Grant } from '../../core/identity/records.ts';
import type { IdentityRepository } from '../../core/identity/repository.ts';
import { ALL_GRANTS, grantKey, scopePartition } from './keys.ts';
import { queryAll } from './query-all.ts';
import type { Table } from './table.ts';

type GrantRecords = Pick<IdentityRepository, 'putGrant' | 'removeGrant' | 'grantsOn' | 'allGrants'>;

/** Roles held: beside their user, and listed by scope (gsi1) and altogether (gsi2). */
export function createGrantRecords(table: Table): GrantRecords {
  const { client, name: TableName } = table;
  const keyOf = ({ userId, roleId, scope }: Grant) => grantKey(userId, scope.kind, scope.id, roleId);

  async function grants(query: Parameters<typeof queryAll>[1]): Promise<Grant[]> {
    const found: Grant[] = [];
    for await (const item of queryAll(table, query)) found.push(item['grant'] as Grant);
    return found;
  }

  const recentKey = (grant: Grant) => Object.values(keyOf(grant)).join('#');
  const withRecent = (indexed: readonly Grant[], belongs: (grant: Grant) => boolean) =>
    table.recent.grants.over(indexed, recentKey, belongs).sort((a, b) => (recentKey(a) < recentKey(b) ? -1 : 1));

  return {
    putGrant: async (grant) => {
      const { pk, sk } = keyOf(grant);
      const indexed = { gsi1pk: scopePartition(grant.scope.kind, grant.scope.id), gsi1sk: `${pk}#${sk}` };
      const listed = { gsi2pk: ALL_GRANTS, gsi2sk: `${pk}#${sk}` };
      await client.send(new PutCommand({ TableName, Item: { pk, sk, ...indexed, ...listed, grant } }));
      table.recent.grants.note(recentKey(grant), grant);
    },
    removeGrant: async (grant) => {
      const { Attributes } = await client.send(
        new DeleteCommand({ TableName, Key: keyOf(grant), ReturnValues: 'ALL_OLD' }),
      );
      table.recent.grants.note(recentKey(grant), undefined);
      return Attributes !== undefined;
    },
    grantsOn: async ({ kind, id }) =>
      withRecent(
        await grants({
          IndexName: 'gsi1',
          KeyConditionExpression: 'gsi1pk = :pk',
          ExpressionAttributeValues: { ':pk': scopePartition(kind, id) },
        }),
        ({ scope }) => scope.kind === kind && scope.id === id,
      ),
    allGrants: async () =>
      withRecent(
        await grants({
          IndexName: 'gsi2',
          KeyConditionExpression: 'gsi2pk = :pk',
          ExpressionAttributeValues: { ':pk': ALL_GRANTS },
        }),
        () => true,
      ),
  };
}
