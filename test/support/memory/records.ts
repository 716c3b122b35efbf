/** A map whose values are copies on the way in and out, as records of a table are: nobody changes one by holding it. */
export class Records<T> {
  readonly #values = new Map<string, T>();

  get(key: string): T | undefined {
    const value = this.#values.get(key);
    return value === undefined ? undefined : structuredClone(value);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  set(key: string, value: T): void {
    this.#values.set(key, structuredClone(value));
  }

  delete(key: string): boolean {
    return this.#values.delete(key);
  }

  values(): T[] {
    return [...this.#values.values()].map((value) => structuredClone(value));
  }

  /** In the order of the keys, as partitions are read. */
  entries(): [string, T][] {
    return [...this.#values].toSorted(([a], [b]) => byText(a, b)).map(([key, value]) => [key, structuredClone(value)]);
  }
}

/** Order of texts, as the table's keys have it. */
export const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
