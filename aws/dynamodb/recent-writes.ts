/**
 * What this process wrote a moment ago. Index reads see a write late (AWS: usually within a second), and a client that
 * creates an image expects it in the list at once: so a list puts the process's own latest writes over what the index says.
 * Another process's writes appear when the index has them.
 */
export interface RecentWrite<T> {
  readonly key: string;
  /** Undefined: it was removed. */
  readonly value: T | undefined;
  /** Milliseconds of the process's own clock. */
  readonly atMs: number;
}

/** Longer than an index lags in practice; short enough that the list stays small. */
const WINDOW_MS = 2_000;

export class RecentWrites<T> {
  /** In order of writing, oldest first: a rewrite moves to the end. */
  readonly #writes = new Map<string, RecentWrite<T>>();
  readonly #isOlder: (value: T, known: T) => boolean;
  readonly #now: () => number;

  /** `isOlder` tells answers of concurrent writes that come in the wrong order. */
  constructor(isOlder: (value: T, known: T) => boolean, now: () => number = () => performance.now()) {
    this.#isOlder = isOlder;
    this.#now = now;
  }

  note(key: string, value: T | undefined): void {
    const known = this.#writes.get(key)?.value;
    if (value !== undefined && known !== undefined && this.#isOlder(value, known)) return;
    this.#writes.delete(key);
    this.#writes.set(key, { key, value, atMs: this.#now() });
    this.#forgetOld();
  }

  has(key: string): boolean {
    this.#forgetOld();
    return this.#writes.has(key);
  }

  /** What is there, without what was removed. */
  values(): T[] {
    this.#forgetOld();
    return [...this.#writes.values()].flatMap(({ value }) => (value === undefined ? [] : [value]));
  }

  /**
   * What an index says of a partition, with the process's own writes over it; in no order.
   * @param belongs whether what was written is in the partition that `rows` come from
   */
  over(rows: readonly T[], keyOf: (row: T) => string, belongs: (written: T) => boolean): T[] {
    const newer = new Set(rows.filter((row) => this.#isOvertaken(keyOf(row), row)).map(keyOf));
    const others = rows.filter((row) => newer.has(keyOf(row)) || !this.has(keyOf(row)));
    const own = this.values().filter((written) => belongs(written) && !newer.has(keyOf(written)));
    return [...others, ...own];
  }

  /** Another process wrote after us, and the index has seen it. */
  #isOvertaken(key: string, row: T): boolean {
    const written = this.#writes.get(key)?.value;
    return written !== undefined && this.#isOlder(written, row);
  }

  #forgetOld(): void {
    const oldest = this.#now() - WINDOW_MS;
    for (const { key, atMs } of this.#writes.values()) {
      if (atMs >= oldest) return;
      this.#writes.delete(key);
    }
  }
}
