import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import type { SourceUrlReads, SourceUrls } from '../../core/tasks/source-urls.ts';
import { sourceUrlKey } from './keys.ts';
import type { Table } from './table.ts';

/** Longer than the longest import: what nobody removed goes by itself. Seconds. */
const KEPT_SECONDS = 2 * 24 * 3600;

/** The SourceUrls of core/tasks/source-urls.ts: under keys of their own, which only the functions reach that need them. */
export function createSourceUrls(table: Table, { clock }: { readonly clock: Clock }): SourceUrls {
  return {
    async keep(taskId, url) {
      const ttl = Math.ceil(clock.now() / 1000) + KEPT_SECONDS;
      const item = { ...sourceUrlKey(taskId), url, ttl };
      await table.client.send(new PutCommand({ TableName: table.name, Item: item }));
    },
    async forget(taskId) {
      await table.client.send(new DeleteCommand({ TableName: table.name, Key: sourceUrlKey(taskId) }));
    },
  };
}

export function createSourceUrlReads(table: Table): SourceUrlReads {
  return {
    async of(taskId) {
      const key = sourceUrlKey(taskId);
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: key, ConsistentRead: true }),
      );
      return Item?.['url'] as string | undefined;
    },
  };
}
