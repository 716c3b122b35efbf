import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { LookUpCounts } from '../../core/identity/look-ups.ts';
import { lookUpsKey } from './keys.ts';
import { isConditionFailure, type Table } from './table.ts';

/** The LookUpCounts of core/identity/look-ups.ts: one small item per project and window. */
export function createLookUpCounts({ client, name: TableName }: Table): LookUpCounts {
  return {
    async of(key) {
      const { Item } = await client.send(new GetCommand({ TableName, Key: lookUpsKey(key), ConsistentRead: true }));
      return Number(Item?.['failed'] ?? 0);
    },
    async add(key, most, expiresAtSeconds) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: lookUpsKey(key),
            UpdateExpression: 'ADD failed :one SET #ttl = :ttl',
            ConditionExpression: 'attribute_not_exists(failed) OR failed < :most',
            ExpressionAttributeNames: { '#ttl': 'ttl' },
            ExpressionAttributeValues: { ':one': 1, ':most': most, ':ttl': expiresAtSeconds },
          }),
        );
        return true;
      } catch (error) {
        if (isConditionFailure(error)) return false;
        throw error;
      }
    },
  };
}
