import type { JsonObject } from '../wire/json.ts';
import type { Callback, Store, SubDb, Write } from './engine.ts';

/** One item before and after an action; undefined where there was, or is, none. */
export interface ItemChange {
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
}

/**
 * Collects what actions write, so that an item and all its index entries (or all items of a transaction) reach LevelDB as
 * one atomic batch: a kill leaves all of it or nothing. Reads see the unit's own writes.
 */
export interface UnitOfWork {
  /** Given to dynalite's actions in place of the real store. */
  readonly store: Store;
  /** What the last action found under its key before it checked its condition, and what it left there. */
  readonly lastChange: ItemChange;
  /** Adds a write that belongs to the unit. */
  add(write: Write): void;
  commit(): Promise<void>;
}

/** Starts a unit over `real`. The caller runs units one at a time, so they take no locks. */
export function unitOfWork(real: Store): UnitOfWork {
  const writes: Write[] = [];
  const seen = new Map<string, JsonObject | undefined>();
  let lastChange: ItemChange = { before: undefined, after: undefined };

  const put = (key: string, value: JsonObject) => {
    writes.push({ type: 'put', key, value });
    changed(key, value);
  };
  const del = (key: string) => {
    writes.push({ type: 'del', key });
    changed(key, undefined);
  };
  const changed = (key: string, value: JsonObject | undefined) => {
    seen.set(key, value);
    if (!key.startsWith(INDEX_PREFIX)) lastChange = { before: lastChange.before, after: value };
  };
  const part = (under: SubDb, prefix: string): SubDb => ({
    get: (key, callback) => {
      const done: Callback<JsonObject> = (error, item) => {
        lastChange = { before: item, after: item };
        callback(error, item);
      };
      if (seen.has(prefix + key)) done(null, seen.get(prefix + key));
      else under.get(key, done);
    },
    put: (key, value, callback) => {
      put(prefix + key, value);
      callback(null);
    },
    del: (key, callback) => {
      del(prefix + key);
      callback(null);
    },
    lock: (_key, run) => run((callback) => callback),
    createValueStream: (options) => under.createValueStream(options),
  });
  const store: Store = {
    ...real,
    getItemDb: (name) => part(real.getItemDb(name), itemPrefix(name)),
    getIndexDb: (kind, table, index) => part(real.getIndexDb(kind, table, index), indexPrefix(kind, table, index)),
  };
  return {
    store,
    get lastChange() {
      return lastChange;
    },
    add: (write) => writes.push(write),
    commit: async () => {
      if (writes.length > 0) await real.db.batch(writes);
    },
  };
}

/** Where dynalite keeps a table's items. */
export const itemPrefix = (table: string): string => `item-${table}~`;

/** What the keys of all entries of all indexes begin with. */
export const INDEX_PREFIX = 'index-';

/** Where dynalite keeps an index's entries; `kind` is Local or Global. */
export const indexPrefix = (kind: string, table: string, index: string): string =>
  `${INDEX_PREFIX}${kind.toLowerCase()}~${table}~${index}~`;
