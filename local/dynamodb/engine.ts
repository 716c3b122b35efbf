import { createRequire } from 'node:module';
import type { Json, JsonObject } from '../wire/json.ts';
import { refuse } from './refusals.ts';

/** Dynalite is CommonJS without types; this file is the one place that knows its inner modules (docs/adr/0023). */

export type Callback<T> = (error: unknown, value?: T) => void;

/** One write of a LevelDB batch; keys carry the prefix of their sub-database. */
export type Write = { type: 'put'; key: string; value: Json } | { type: 'del'; key: string };

/** A part of the database with its own key prefix: a table's items or one of its indexes. */
export interface SubDb {
  get(key: string, callback: Callback<JsonObject>): void;
  put(key: string, value: JsonObject, callback: Callback<void>): void;
  del(key: string, callback: Callback<void>): void;
  lock(key: string, run: (release: <F>(callback: F) => F) => void): void;
  createValueStream(options?: object): unknown;
}

/** A LevelDB range iterator over values. */
interface ValueIterator {
  nextv(size: number): Promise<Json[]>;
  close(): Promise<void>;
}

/** The LevelDB (or in-memory) database under all tables. */
export interface LevelDb {
  open(): Promise<void>;
  close(callback: (error?: unknown) => void): void;
  get(key: string): Promise<Json | undefined>;
  batch(writes: readonly Write[]): Promise<void>;
  values(options: { gte: string; lt: string; limit?: number; highWaterMarkBytes?: number }): ValueIterator;
  iterator(options: { gte: string; lt: string }): AsyncIterable<[string, Json]>;
}

export interface Store {
  readonly db: LevelDb;
  getTable(name: string, checkStatus: boolean | Callback<JsonObject>, callback?: Callback<JsonObject>): void;
  getItemDb(name: string): SubDb;
  getIndexDb(kind: string, table: string, index: string): SubDb;
}

interface Rules {
  types: object;
  custom: unknown;
}

type Action = (store: Store, data: JsonObject, callback: Callback<JsonObject>) => void;

interface Database {
  create(options: { path?: string; createTableMs: number; deleteTableMs: number; updateTableMs: number }): Store;
  createKey(key: JsonObject, table: JsonObject): string;
  checkConditional(data: JsonObject, item: JsonObject | undefined): Error | null | undefined;
  validateKey(key: JsonObject, table: JsonObject): Error | null | undefined;
  updateIndexes(
    store: Store,
    table: JsonObject,
    before: JsonObject | undefined,
    after: JsonObject,
    callback: Callback<void>,
  ): void;
}

interface Validations {
  checkTypes(data: JsonObject, types: object): JsonObject;
  checkValidations(data: JsonObject, types: object, custom: unknown, store: Store): void;
}

const load = createRequire(import.meta.url);

/** A module, if it has what we take of it. Importing this file throws otherwise, and `open.ts` goes on without it. */
function inner<T>(name: string, ...functions: readonly (keyof T & string)[]): T {
  const module = load(`dynalite/${name}`) as T;
  for (const wanted of functions)
    if (typeof module[wanted] !== 'function') throw new Error(`dynalite/${name} has no ${wanted}`);
  return module;
}

const validations = inner<Validations>('validations', 'checkTypes', 'checkValidations');

/** Dynalite's functions over stores, keys and conditions. */
export const database = inner<Database>(
  'db',
  'create',
  'createKey',
  'checkConditional',
  'validateKey',
  'updateIndexes',
);

const OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
];

/** An operation of dynalite: its validation rules and its action. */
export interface Engine {
  /** Checks the request and resolves its expressions. Throws dynalite's error for what DynamoDB would refuse. */
  check(input: JsonObject, store: Store): JsonObject;
  run(store: Store, data: JsonObject): Promise<JsonObject>;
}

const engineOf = (name: string): Engine => {
  const file = name[0]?.toLowerCase() + name.slice(1);
  const rules = inner<Rules>(`validations/${file}`);
  const action = inner<Action>(`actions/${file}`);
  if (typeof action !== 'function') throw new Error(`dynalite/actions/${file} is no function`);
  return {
    check: (input, store) => {
      const data = validations.checkTypes(input, rules.types);
      refuse(name, data);
      validations.checkValidations(data, rules.types, rules.custom, store);
      return data;
    },
    run: (store, data) => promised((callback) => action(store, data, callback)),
  };
};

/** Every operation that dynalite itself knows, by its name on the wire. */
export const engines: ReadonlyMap<string, Engine> = new Map(OPERATIONS.map((name) => [name, engineOf(name)]));

/** The engine of an operation that is known to exist. */
export function engine(name: string): Engine {
  const found = engines.get(name);
  if (found === undefined) throw new Error(`dynalite has no ${name}`);
  return found;
}

/** Runs a callback-style function as a promise. */
export function promised<T>(start: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error as Error) : resolve(value as T)));
  });
}

/** The description of a table. Throws dynalite's error when there is none. */
export const tableOf = (store: Store, name: string): Promise<JsonObject> =>
  promised((callback) => store.getTable(name, true, callback));
