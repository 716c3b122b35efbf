import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import type { UsageRepository } from '../../core/quota/usage.ts';
import { Expression } from './expression.ts';
import { USAGES, usageKey } from './keys.ts';
import { queryAll } from './query-all.ts';
import { isConditionFailure, type Table } from './table.ts';

/** The UsageRepository of core/quota/usage.ts: one counter item per project, listed under one index partition for the janitor. */
export function createUsageRepository(table: Table, { clock }: { readonly clock: Clock }): UsageRepository {
  async function item(project: string): Promise<Record<string, unknown> | undefined> {
    const key = usageKey(project);
    return (await table.client.send(new GetCommand({ TableName: table.name, Key: key, ConsistentRead: true }))).Item;
  }

  /** Runs a conditional update; false when the condition fails. */
  async function update(project: string, expression: Expression): Promise<boolean> {
    try {
      await table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: usageKey(project),
          UpdateExpression: expression.update,
          ConditionExpression: expression.condition,
          ...expression.placeholders,
        }),
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }

  return {
    async add(project, amount, limit) {
      const expression = new Expression();
      const count = expression.path('images');
      expression.require(`attribute_exists(${count})`);
      if (limit !== undefined) expression.require(`${count} <= ${expression.value(limit - amount)}`);
      expression.add(count, expression.value(amount));
      expression.set(expression.path('touched_at_ms'), expression.value(clock.now()));
      if (await update(project, expression)) return 'added';
      return (await item(project)) === undefined ? 'unknown' : 'over';
    },

    async count(project) {
      return ((await item(project))?.['images'] as number | undefined) ?? 0;
    },

    async reset(project, count, touchedBeforeMs) {
      const expression = new Expression();
      const touched = expression.path('touched_at_ms');
      expression.require(`attribute_not_exists(${touched}) OR ${touched} < ${expression.value(touchedBeforeMs)}`);
      expression.set(expression.path('images'), expression.value(count));
      expression.set(touched, expression.value(clock.now()));
      expression.set(expression.path('project'), expression.value(project));
      expression.set(expression.path('gsi1pk'), expression.value(USAGES));
      expression.set(expression.path('gsi1sk'), expression.value(project));
      await update(project, expression);
    },

    async projects() {
      const found: string[] = [];
      const items = queryAll(table, {
        IndexName: 'gsi1',
        KeyConditionExpression: 'gsi1pk = :usages',
        ExpressionAttributeValues: { ':usages': USAGES },
      });
      for await (const item of items) found.push(item['project'] as string);
      return found;
    },
  };
}
