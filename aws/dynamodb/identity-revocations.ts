import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { IdentityRepository } from '../../core/identity/repository.ts';
import { failuresKey, REVOCATIONS } from './keys.ts';
import { isConditionFailure, type Table } from './table.ts';

type RevocationRecords = Pick<IdentityRepository, 'revoke' | 'failures' | 'countFailure'>;

/** What expires by itself: revocations and counts of failed log-ins. DynamoDB removes them late, so `ttl` is checked on reading too (identity-reads.ts). */
export function createRevocationRecords({ client, name: TableName }: Table): RevocationRecords {
  return {
    revoke: async ({ subject, issuedBeforeMs, expiresAtSeconds }) => {
      try {
        await client.send(
          new PutCommand({
            TableName,
            Item: { pk: REVOCATIONS, sk: subject, issuedBeforeMs, ttl: expiresAtSeconds },
            // A late write must not take back what a later one revoked.
            ConditionExpression: 'attribute_not_exists(pk) OR issuedBeforeMs < :before',
            ExpressionAttributeValues: { ':before': issuedBeforeMs },
          }),
        );
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    },
    failures: (keys) =>
      Promise.all(
        keys.map(async (key) => {
          const { Item } = await client.send(
            new GetCommand({ TableName, Key: failuresKey(key), ConsistentRead: true }),
          );
          return Number(Item?.['failures'] ?? 0);
        }),
      ),
    countFailure: async (key, expiresAtSeconds) => {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: failuresKey(key),
          UpdateExpression: 'ADD failures :one SET #ttl = :ttl',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':one': 1, ':ttl': expiresAtSeconds },
        }),
      );
    },
  };
}
