/** What others than the identity service may ask of its records: roles are bound to these partitions (workflows/table-keys.ts). */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import type { Grant, NamedRecords, RecordKind, Revocation } from '../../core/identity/records.ts';
import type { IdentityRepository } from '../../core/identity/repository.ts';
import type { TokenRecords } from '../../core/identity/validator.ts';
import { identityKey, nameKey, REVOCATIONS } from './keys.ts';
import { queryAll } from './query-all.ts';
import type { Table } from './table.ts';

async function read<K extends RecordKind>(table: Table, kind: K, id: string): Promise<NamedRecords[K] | undefined> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.name, Key: identityKey(kind, id), ConsistentRead: true }),
  );
  return Item?.['record'] as NamedRecords[K] | undefined;
}

/** What a token names, and whether it was revoked: checking tokens needs no more. */
export function createIdentityReads(table: Table, clock: Clock): TokenRecords {
  const nowSeconds = () => Math.floor(clock.now() / 1000);
  return {
    get: (kind, id) => read(table, kind, id),
    grantsOf: async (userId) => {
      const found: Grant[] = [];
      for await (const item of queryAll(table, {
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `GRANTS#${userId}` },
        ConsistentRead: true,
      }))
        found.push(item['grant'] as Grant);
      return found;
    },
    revocations: async () => {
      const found: Revocation[] = [];
      for await (const item of queryAll(table, {
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': REVOCATIONS },
        ConsistentRead: true,
      })) {
        const expiresAtSeconds = Number(item['ttl']);
        if (expiresAtSeconds > nowSeconds())
          found.push({
            subject: item['sk'] as Revocation['subject'],
            issuedBeforeMs: Number(item['issuedBeforeMs']),
            expiresAtSeconds,
          });
      }
      return found;
    },
  };
}

/** Records by id and by name; the role of who looks up projects reads projects alone. */
export function createProjectReads(table: Table): Pick<IdentityRepository, 'get' | 'findByName'> {
  return {
    get: (kind, id) => read(table, kind, id),
    findByName: async (kind, space, name) => {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: nameKey(kind, space, name), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : read(table, kind, String(Item['id']));
    },
  };
}
