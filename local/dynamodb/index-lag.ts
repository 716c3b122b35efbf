import type { LevelDb, Store, Write } from './engine.ts';
import { INDEX_PREFIX } from './unit-of-work.ts';

/** A store whose indexes see every write late, in the order of the writes. */
export interface LaggingStore {
  readonly store: Store;
  /** Lets the indexes catch up at once. */
  catchUp(): Promise<void>;
}

/**
 * Index reads that see writes `lagMs` late: on AWS an index follows its table (DynamoDB Developer Guide, "Eventual consistency
 * considerations"), and code that takes an index for the table shows only where it lags. What waits is in memory and is lost
 * with the process: a switch for tests. 0 is no lag at all.
 */
export function laggingIndexes(real: Store, lagMs: number): LaggingStore {
  if (lagMs === 0) return { store: real, catchUp: async () => undefined };
  const waiting: { readonly writes: readonly Write[]; readonly atMs: number }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let failed: unknown;

  async function apply(untilMs: number): Promise<void> {
    const due = waiting.findIndex(({ atMs }) => atMs > untilMs);
    const batches = waiting.splice(0, due === -1 ? waiting.length : due);
    if (batches.length > 0) await real.db.batch(batches.flatMap(({ writes }) => writes));
  }

  function wake(): void {
    const next = waiting[0];
    if (next === undefined || timer !== undefined) return;
    const run = () => {
      timer = undefined;
      apply(performance.now()).then(wake, (error) => {
        failed = error;
      });
    };
    timer = setTimeout(run, Math.max(1, next.atMs - performance.now()));
    timer.unref();
  }

  async function batch(writes: readonly Write[]): Promise<void> {
    if (failed !== undefined) throw failed;
    const late = writes.filter(({ key }) => key.startsWith(INDEX_PREFIX));
    await real.db.batch(writes.filter(({ key }) => !key.startsWith(INDEX_PREFIX)));
    if (late.length === 0) return;
    waiting.push({ writes: late, atMs: performance.now() + lagMs });
    wake();
  }

  const db: LevelDb = {
    open: () => real.db.open(),
    close: (callback) => real.db.close(callback),
    get: (key) => real.db.get(key),
    values: (options) => real.db.values(options),
    iterator: (options) => real.db.iterator(options),
    batch,
  };
  return {
    store: { ...real, db },
    async catchUp() {
      clearTimeout(timer);
      timer = undefined;
      await apply(Number.POSITIVE_INFINITY);
    },
  };
}
