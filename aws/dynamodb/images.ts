/**
 * Image records in the single table. An image is one item; a deleted image leaves a bare item with `deleted_at` under the
 * same key, so that "never existed" is one condition and no transaction is needed.
 */
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import { Conflict, NotFound } from '../../core/errors.ts';
import { applied } from '../../core/images/applied.ts';
import { assertTransition, refusal } from '../../core/images/expectation.ts';
import { type Image, locationId } from '../../core/images/image.ts';
import type { ImageChange, ImageRecords } from '../../core/images/repository.ts';
import { Expression } from './expression.ts';
import {
  COLUMNS,
  type ImageItem,
  imageOf,
  itemOf,
  nameIndexKeys,
  ownerIndexKeys,
  STORE_LISTS,
  visibilityIndexKeys,
} from './image-item.ts';
import { imageKey } from './keys.ts';
import { putProgress, withOwnProgress } from './progress.ts';
import { isConditionFailure, type Table } from './table.ts';

export interface ImageRepositoryOptions {
  readonly clock: Clock;
  /** Number of partitions that each visibility is spread over; the listing must be given the same number. Default 1. */
  readonly visibilityShards?: number;
}

/** The ImageRecords of core/images/repository.ts on DynamoDB. Every write is one conditional request. */
export function createImageRepository(table: Table, options: ImageRepositoryOptions): ImageRecords {
  const { clock } = options;
  const shards = options.visibilityShards ?? 1;
  const now = () => new Date(clock.now()).toISOString();

  async function getItem(id: string): Promise<ImageItem | undefined> {
    const answer = await table.client.send(
      new GetCommand({ TableName: table.name, Key: imageKey(id), ConsistentRead: true }),
    );
    return answer.Item;
  }

  /** Which expectation failed, in words. @throws what is no failed condition */
  async function explained(id: string, expect: ImageChange['expect'], error: unknown): Promise<Error> {
    if (!isConditionFailure(error)) throw error;
    return refusal(id, imageOf(await getItem(id)), expect, { cause: error });
  }

  /** One conditional update. @throws as the client does */
  async function update<V extends 'ALL_OLD' | 'ALL_NEW'>(id: string, change: ImageChange, wanted: V) {
    assertTransition(change);
    const at = now();
    const createdAt = change.set?.name === undefined ? undefined : (change.createdAt ?? (await createdAtOf(id)));
    const expression = updateOf(id, change, { shards, now: at, createdAt });
    const { Attributes, $metadata } = await table.client.send(
      new UpdateCommand({
        TableName: table.name,
        Key: imageKey(id),
        UpdateExpression: expression.update,
        ConditionExpression: expression.condition,
        ...expression.placeholders,
        ReturnValues: wanted,
      }),
    );
    return { image: recordOf(id, Attributes), at, isCertain: isFirstTry($metadata) };
  }

  return {
    async create(image) {
      try {
        await table.client.send(
          new PutCommand({
            TableName: table.name,
            Item: itemOf(image, shards),
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
        table.recent.images.note(image.id, image);
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
        throw new Conflict(`Image ID ${image.id} already exists!`, { cause: error });
      }
    },

    async get(id) {
      const image = imageOf(await getItem(id));
      return image === undefined ? undefined : withOwnProgress(table, image);
    },

    noteProgress: (_id, taskId, progress) => putProgress(table, taskId, progress, clock.now()),

    async change(id, change) {
      try {
        const { image } = await update(id, change, 'ALL_NEW');
        table.recent.images.note(id, image);
        return withOwnProgress(table, image);
      } catch (error) {
        throw await explained(id, change.expect, error);
      }
    },

    async swap(id, change) {
      try {
        const { image: before, at, isCertain } = await update(id, change, 'ALL_OLD');
        const after = applied(before, change, at);
        table.recent.images.note(id, after);
        return { before, after: await withOwnProgress(table, after), isCertain };
      } catch (error) {
        const refused = await explained(id, change.expect, error);
        return { refused, isCertain: isConditionFailure(error) && isFirstTry(error.$metadata) };
      }
    },

    async delete(id, expect) {
      const expression = new Expression();
      requireExpected(expression, expect);
      try {
        const answer = await table.client.send(
          new PutCommand({
            TableName: table.name,
            Item: { ...imageKey(id), deleted_at: now() },
            ConditionExpression: expression.condition,
            ...expression.placeholders,
            ReturnValues: 'ALL_OLD',
          }),
        );
        table.recent.images.note(id, undefined);
        return recordOf(id, answer.Attributes);
      } catch (error) {
        throw await explained(id, expect, error);
      }
    },
  };

  async function createdAtOf(id: string): Promise<string> {
    return recordOf(id, await getItem(id)).createdAt;
  }
}

/** The client tries again what had no answer: an earlier try may have come through. */
const isFirstTry = ({ attempts = 1 }: { readonly attempts?: number }): boolean => attempts === 1;

function recordOf(id: string, item: ImageItem | undefined): Image {
  const image = imageOf(item);
  if (image === undefined) throw new NotFound(`No image found with ID ${id}`);
  return image;
}

function requireExpected(expression: Expression, expect: ImageChange['expect']): void {
  expression.require(`attribute_exists(${expression.path('pk')})`);
  expression.require(`attribute_not_exists(${expression.path('deleted_at')})`);
  if (expect?.revision !== undefined)
    expression.require(`${expression.path('revision')} = ${expression.value(expect.revision)}`);
  if (expect?.status !== undefined) {
    const values = expect.status.map((status) => expression.value(status));
    expression.require(`${expression.path('status')} IN (${values.join(', ')})`);
  }
  if (expect?.lock === null) expression.require(`attribute_not_exists(${expression.path('lock')})`);
  else if (expect?.lock !== undefined)
    expression.require(`${expression.path('lock')} = ${expression.value(expect.lock)}`);
}

interface UpdateContext {
  readonly shards: number;
  readonly now: string;
  /** Known when the name changes. */
  readonly createdAt: string | undefined;
}

/** One update expression that touches what the change names, and nothing else. */
function updateOf(id: string, change: ImageChange, context: UpdateContext): Expression {
  const expression = new Expression();
  requireExpected(expression, change.expect);
  setColumns(expression, change);
  setIndexKeys(expression, id, change, context);
  setLocations(expression, change);
  changeStoreList(expression, 'importingTo', change.importingTo);
  changeStoreList(expression, 'failedImport', change.failedImport);
  if (change.quiet !== true) {
    expression.set(expression.path('updated_at'), expression.value(context.now));
    expression.add(expression.path('revision'), expression.value(1));
  } else if (expression.update === undefined) {
    // A change that only asks a question still has to be a valid update.
    expression.set(expression.path('id'), expression.value(id));
  }
  return expression;
}

function setColumns(expression: Expression, change: ImageChange): void {
  for (const [key, attribute] of Object.entries(COLUMNS)) {
    const value = change.set?.[key as keyof typeof COLUMNS];
    if (value === undefined || key === 'properties') continue;
    setOrRemove(expression, expression.path(attribute), value);
  }
  const whole = change.set?.properties;
  if (whole !== undefined) {
    const merged = Object.entries(change.mergeProperties ?? {}).filter(([, value]) => value !== null);
    const removed = new Set(Object.keys(change.mergeProperties ?? {}));
    const kept = Object.entries(whole).filter(([key]) => !removed.has(key));
    expression.set(expression.path('properties'), expression.value(Object.fromEntries([...kept, ...merged])));
    return;
  }
  for (const [key, value] of Object.entries(change.mergeProperties ?? {}))
    setOrRemove(expression, expression.path('properties', key), value);
}

function setOrRemove(expression: Expression, path: string, value: unknown): void {
  if (value === null) expression.remove(path);
  else expression.set(path, expression.value(value));
}

function setIndexKeys(expression: Expression, id: string, change: ImageChange, context: UpdateContext): void {
  const { name, owner, visibility } = change.set ?? {};
  const keys: Record<string, string | null> = {};
  if (owner !== undefined) Object.assign(keys, ownerIndexKeys(owner) ?? { gsi1pk: null, gsi2pk: null });
  if (visibility !== undefined) Object.assign(keys, visibilityIndexKeys(id, visibility, context.shards));
  if (name !== undefined && context.createdAt !== undefined)
    Object.assign(keys, nameIndexKeys({ id, name, createdAt: context.createdAt }));
  for (const [key, value] of Object.entries(keys)) setOrRemove(expression, expression.path(key), value);
}

function setLocations(expression: Expression, change: ImageChange): void {
  for (const location of change.addLocations ?? [])
    expression.set(expression.path('locations', locationId(location)), expression.value(location));
  for (const removed of change.removeLocations ?? []) expression.remove(expression.path('locations', removed));
}

/**
 * ADD and DELETE of one set in one expression overlap for DynamoDB, so a change that does both must not: an import never
 * adds and removes in one step.
 */
function changeStoreList(
  expression: Expression,
  list: keyof typeof STORE_LISTS,
  change: { readonly add?: readonly string[]; readonly remove?: readonly string[] } | undefined,
): void {
  if (change === undefined) return;
  const { set, named } = STORE_LISTS[list];
  const add = change.add ?? [];
  const remove = (change.remove ?? []).filter((store) => !add.includes(store));
  if (add.length > 0 && remove.length > 0)
    throw new TypeError(`${set}: a change adds or removes, it cannot do both (${add} and ${remove})`);
  expression.set(expression.path(named), expression.value(true));
  if (add.length > 0) expression.add(expression.path(set), expression.value(new Set(add)));
  if (remove.length > 0) expression.delete(expression.path(set), expression.value(new Set(remove)));
}
