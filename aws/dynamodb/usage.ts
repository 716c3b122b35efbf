import { randomBytes } from 'node:crypto';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import {
  type Ceilings,
  type CountedUsage,
  type ProjectUsage,
  RESOURCES,
  type UsageRepository,
} from '../../core/quota/usage.ts';
import { Expression } from './expression.ts';
import { USAGES, usageKey, usageListedKey } from './keys.ts';
import { queryAll } from './query-all.ts';
import { isConditionFailure, type Table } from './table.ts';

const COLUMNS = {
  storedBytes: 'stored_bytes',
  stagedBytes: 'staged_bytes',
  images: 'images',
  uploading: 'uploading',
} as const satisfies Record<keyof ProjectUsage, string>;

type Item = Readonly<Record<string, unknown>>;

/** Additions that are named in the counter's item at most, and for how long at least: the client's own tries end sooner. */
const MOST_NAMED = 50;
const NAMED_MS = 5 * 60_000;
/** Names that one write takes off. */
const TAKEN_OFF = 20;

/**
 * The UsageRepository of core/quota/usage.ts: one item per project, changed by single conditional updates, which DynamoDB puts in order
 * without conflicts. Each addition leaves its name in the item until the next one, so that a second try by the client adds nothing. What the
 * janitor lists lies in an item of its own, which is not written with each addition: an index would be.
 */
export function createUsageRepository(table: Table, { clock }: { readonly clock: Clock }): UsageRepository {
  /** Names of additions that were answered, by project. */
  const answered = new Map<string, string[]>();

  async function item(project: string): Promise<Item | undefined> {
    const key = usageKey(project);
    return (await table.client.send(new GetCommand({ TableName: table.name, Key: key, ConsistentRead: true }))).Item;
  }

  /** The counter as it is then. @throws ConditionalCheckFailedException */
  async function update(project: string, expression: Expression): Promise<Item | undefined> {
    const { Attributes } = await table.client.send(
      new UpdateCommand({
        TableName: table.name,
        Key: usageKey(project),
        UpdateExpression: expression.update,
        ConditionExpression: expression.condition,
        ...expression.placeholders,
        ReturnValues: 'ALL_NEW',
      }),
    );
    return Attributes;
  }

  function note(project: string, named: Item): void {
    const before = clock.now() - NAMED_MS;
    const names = Object.entries(named);
    const old = names.length > MOST_NAMED ? names.filter(([, atMs]) => (atMs as number) < before) : [];
    answered.set(project, [...new Set([...(answered.get(project) ?? []), ...old.map(([name]) => name)])]);
  }

  function additionOf(amount: ProjectUsage, ceilings: Ceilings | undefined, name: string, done: readonly string[]) {
    const expression = new Expression();
    expression.require(`attribute_exists(${expression.path(COLUMNS.storedBytes)})`);
    expression.require(`attribute_not_exists(${expression.path('named', name)})`);
    for (const key of RESOURCES.filter((resource) => amount[resource] !== 0)) {
      const [path, ceiling] = [expression.path(COLUMNS[key]), ceilings?.[key]];
      if (amount[key] > 0 && ceiling !== undefined)
        expression.require(`${path} <= ${expression.value(ceiling - amount[key])}`);
      expression.add(path, expression.value(amount[key]));
    }
    if (ceilings !== undefined) expression.set(expression.path('ceilings'), expression.value(ceilings));
    expression.set(expression.path('touched_at_ms'), expression.value(clock.now()));
    expression.set(expression.path('is_touched'), expression.value(true));
    expression.set(expression.path('named', name), expression.value(clock.now()));
    for (const one of done) expression.remove(expression.path('named', one));
    return expression;
  }

  return {
    async add(project, amount, ceilings) {
      const name = randomBytes(9).toString('base64url');
      const done = (answered.get(project) ?? []).splice(0, TAKEN_OFF);
      const expression = additionOf(amount, ceilings, name, done);
      try {
        const counter = await update(project, expression);
        note(project, (counter?.['named'] ?? {}) as Item);
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
        const known = await item(project);
        if (known?.[COLUMNS.storedBytes] === undefined) return 'unknown';
        answered.set(project, [...(answered.get(project) ?? []), ...done]);
        if ((known['named'] as Item | undefined)?.[name] === undefined) return 'over';
      }
      answered.get(project)?.push(name);
      return 'added';
    },

    async of(project) {
      const known = await item(project);
      return known?.[COLUMNS.storedBytes] === undefined ? undefined : countedOf(known);
    },

    async reset(project, usage, touchedBeforeMs) {
      const expression = new Expression();
      const [known, touched] = [expression.path(COLUMNS.storedBytes), expression.path('touched_at_ms')];
      expression.require(`attribute_not_exists(${known}) OR ${touched} < ${expression.value(touchedBeforeMs)}`);
      for (const key of RESOURCES) expression.set(expression.path(COLUMNS[key]), expression.value(usage[key]));
      expression.set(touched, expression.value(clock.now()));
      expression.set(expression.path('counted_at_ms'), expression.value(clock.now()));
      expression.set(expression.path('is_touched'), expression.value(false));
      expression.set(expression.path('named'), expression.value({}));
      // Of an earlier version, which listed the counter itself.
      for (const key of ['gsi1pk', 'gsi1sk']) expression.remove(expression.path(key));
      const listed = { ...usageListedKey(project), project, gsi1pk: USAGES, gsi1sk: project };
      await table.client.send(new PutCommand({ TableName: table.name, Item: listed }));
      try {
        await update(project, expression);
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
      }
    },

    async projects() {
      const found = new Set<string>();
      const items = queryAll(table, {
        IndexName: 'gsi1',
        KeyConditionExpression: 'gsi1pk = :usages',
        ExpressionAttributeValues: { ':usages': USAGES },
      });
      for await (const listed of items) found.add(listed['project'] as string);
      return [...found];
    },
  };
}

function countedOf(item: Item): CountedUsage {
  return {
    usage: Object.fromEntries(RESOURCES.map((key) => [key, item[COLUMNS[key]]])) as unknown as ProjectUsage,
    ceilings: item['ceilings'] as Ceilings | undefined,
    countedAtMs: item['counted_at_ms'] as number,
    touchedAtMs: item['touched_at_ms'] as number,
    isTouched: item['is_touched'] === true,
  };
}
