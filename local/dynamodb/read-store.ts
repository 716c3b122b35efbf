import { Readable } from 'node:stream';
import type { Json, JsonObject } from '../wire/json.ts';
import type { Callback, LevelDb, Store, SubDb } from './engine.ts';
import { indexPrefix, itemPrefix } from './unit-of-work.ts';

/** Values fetched from LevelDB at once when no limit is given: one hop to its thread pool instead of one per item. */
const PAGE = 128;
/** As much as an answer of DynamoDB holds. LevelDB's own mark is 16 KiB: a page of 25 images would come in five hops. */
const PAGE_BYTES = 1024 * 1024;

interface Range {
  gt?: string;
  gte?: string;
  lt?: string;
  lte?: string;
  limit?: number;
  reverse?: boolean;
}

/**
 * The store that requests see: dynalite's, except that table descriptions are read from the database once and that queries
 * read ranges in pages. Both only save time. `forgetTables` must be called around every change of a table.
 */
export function readStore(base: Store): { store: Store; forgetTables: () => void } {
  const tables = new Map<string, JsonObject>();
  const getTable: Store['getTable'] = (name, checkStatus, callback) => {
    const done = (typeof checkStatus === 'function' ? checkStatus : callback) as Callback<JsonObject>;
    const known = tables.get(name);
    if (known !== undefined) {
      done(null, known);
      return;
    }
    const remember: Callback<JsonObject> = (error, table) => {
      if (!error && table?.['TableStatus'] === 'ACTIVE') tables.set(name, table);
      done(error, table);
    };
    if (typeof checkStatus === 'function') base.getTable(name, remember);
    else base.getTable(name, checkStatus, remember);
  };
  const paged = (under: SubDb, prefix: string): SubDb => ({
    ...under,
    createValueStream: (options) => valueStream(base.db, withPrefix(prefix, options as Range | undefined)),
  });
  const store: Store = {
    ...base,
    getTable,
    getItemDb: (name) => paged(base.getItemDb(name), itemPrefix(name)),
    getIndexDb: (kind, table, index) => paged(base.getIndexDb(kind, table, index), indexPrefix(kind, table, index)),
  };
  return { store, forgetTables: () => tables.clear() };
}

function withPrefix(prefix: string, range: Range = {}): Range & { gte: string; lt: string } {
  const bounds: Range = { ...range };
  for (const bound of ['gt', 'gte', 'lt', 'lte'] as const) {
    const key = range[bound];
    if (key !== undefined) bounds[bound] = prefix + key;
  }
  if (bounds.gt === undefined && bounds.gte === undefined) bounds.gte = prefix;
  if (bounds.lt === undefined && bounds.lte === undefined) bounds.lt = `${prefix}\xff`;
  return bounds as Range & { gte: string; lt: string };
}

function valueStream(db: LevelDb, range: Range & { gte: string; lt: string }): Readable {
  const values = db.values({ ...range, highWaterMarkBytes: PAGE_BYTES });
  const size = range.limit !== undefined && range.limit > 0 ? Math.min(range.limit, 1000) : PAGE;
  return new Readable({
    objectMode: true,
    read() {
      values.nextv(size).then(
        (page: Json[]) => {
          for (const value of page) this.push(value);
          if (page.length === 0) this.push(null);
        },
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      values.close().then(
        () => callback(error),
        () => callback(error),
      );
    },
  });
}
