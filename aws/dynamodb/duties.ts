import { DeleteCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Duty, DutyRepository } from '../../core/duties/duty.ts';
import { byDue, DUTIES, dutyKey } from './keys.ts';
import { isConditionFailure, type Table } from './table.ts';

/** Duties of the janitor, ordered by due time in gsi1. */
export function createDutyRepository(table: Table): DutyRepository {
  const itemOf = (duty: Duty) => ({
    ...{ ...dutyKey(duty.id), gsi1pk: DUTIES, gsi1sk: byDue(duty.dueAtMs, duty.id) },
    ...duty,
  });
  return {
    async put(duty) {
      await table.client.send(new PutCommand({ TableName: table.name, Item: itemOf(duty) }));
    },

    async postpone(duty, lateEnoughMs) {
      try {
        await table.client.send(
          new PutCommand({
            TableName: table.name,
            Item: itemOf(duty),
            ConditionExpression: 'attribute_not_exists(dueAtMs) OR dueAtMs <= :late',
            ExpressionAttributeValues: { ':late': lateEnoughMs },
          }),
        );
        return true;
      } catch (error) {
        if (isConditionFailure(error)) return false;
        throw error;
      }
    },

    async remove(id) {
      await table.client.send(new DeleteCommand({ TableName: table.name, Key: dutyKey(id) }));
    },

    async due(nowMs, limit) {
      const { Items } = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          IndexName: 'gsi1',
          KeyConditionExpression: 'gsi1pk = :duties AND gsi1sk <= :now',
          ExpressionAttributeValues: { ':duties': DUTIES, ':now': byDue(nowMs, '\uffff') },
          Limit: limit,
        }),
      );
      return (Items ?? []).map(dutyFrom);
    },
  };
}

function dutyFrom(item: Record<string, unknown>): Duty {
  const { pk, sk, gsi1pk, gsi1sk, ...duty } = item;
  return duty as unknown as Duty;
}
