/** What tasks have done, batch by batch beside their record, and the pace that ended ones showed. */
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import { BATCH_KEPT_S, type TaskRepository } from '../../core/tasks/repository.ts';
import type { BatchProgress, PhaseRates } from '../../core/tasks/task.ts';
import { deleteAll } from './batch-write.ts';
import { batchKey, RATES_KEY, taskKey } from './keys.ts';
import { queryAll } from './query-all.ts';
import type { Table } from './table.ts';

type BatchRecords = Pick<TaskRepository, 'putBatch' | 'batch' | 'batches' | 'removeBatches' | 'rates' | 'setRates'>;

export function createBatchRecords(table: Table, clock: Clock): BatchRecords {
  async function batches(taskId: string): Promise<BatchProgress[]> {
    const found: BatchProgress[] = [];
    for await (const item of queryAll(table, {
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :batch)',
      ExpressionAttributeValues: { ':pk': taskKey(taskId).pk, ':batch': 'BATCH#' },
      ConsistentRead: true,
    }))
      found.push(batchOf(item));
    return found;
  }

  return {
    batches,

    async putBatch(batch) {
      const ttl = Math.ceil(clock.now() / 1000) + BATCH_KEPT_S;
      const Item = { ...batchKey(batch.taskId, batch.phase, batch.batch), ...batch, ttl };
      await table.client.send(new PutCommand({ TableName: table.name, Item }));
    },

    async batch(taskId, phase, batch) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: batchKey(taskId, phase, batch), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : batchOf(Item);
    },

    async removeBatches(taskId) {
      const all = await batches(taskId);
      await deleteAll(
        table,
        all.map(({ phase, batch }) => batchKey(taskId, phase, batch)),
      );
    },

    async rates() {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: RATES_KEY }));
      return (Item?.['rates'] ?? {}) as PhaseRates;
    },

    async setRates(rates) {
      await table.client.send(new PutCommand({ TableName: table.name, Item: { ...RATES_KEY, rates } }));
    },
  };
}

function batchOf({ pk, sk, ttl, ...batch }: Record<string, unknown>): BatchProgress {
  return batch as unknown as BatchProgress;
}
