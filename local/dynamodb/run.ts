import { type JsonObject, objectAt } from '../wire/json.ts';
import { type Engine, type Store, tableOf } from './engine.ts';
import { awsErrorOf, awsErrors, withItem } from './errors.ts';
import { itemCollectionMetrics } from './item-collections.ts';
import { type ItemChange, unitOfWork } from './unit-of-work.ts';

/** Answers an operation that changes nothing. Throws AwsError. */
export const read = (engine: Engine, store: Store, input: JsonObject): Promise<JsonObject> =>
  awsErrors(() => engine.run(store, engine.check(input, store)));

/**
 * Answers an operation that writes: all of it is kept or nothing. `onChange` is told what became of the item before that is kept,
 * also when a condition failed; what it throws is the answer. Throws AwsError. The caller runs writes one at a time.
 */
export async function write(
  engine: Engine,
  store: Store,
  input: JsonObject,
  onChange?: (change: ItemChange) => void,
): Promise<JsonObject> {
  const returnOld = input['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD';
  const unit = unitOfWork(store);
  try {
    const result = await engine.run(unit.store, engine.check(input, store));
    onChange?.(unit.lastChange);
    await unit.commit();
    if (input['ReturnItemCollectionMetrics'] !== 'SIZE' || input['TableName'] === undefined) return result;
    const item = { ...(objectAt(input, 'Key') ?? objectAt(input, 'Item')) };
    const ItemCollectionMetrics = itemCollectionMetrics(await tableOf(store, String(input['TableName'])), item);
    return ItemCollectionMetrics === undefined ? result : { ...result, ItemCollectionMetrics };
  } catch (caught) {
    const error = awsErrorOf(caught);
    if (error.code === 'ConditionalCheckFailedException') onChange?.(unit.lastChange);
    const item = unit.lastChange.before;
    if (!returnOld || item === undefined || error.code !== 'ConditionalCheckFailedException') throw error;
    throw withItem(error, item);
  }
}
