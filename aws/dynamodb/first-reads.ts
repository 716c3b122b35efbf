/**
 * How much of each partition a page will need, learned from the pages before: a page merges several partitions, and reading it
 * whole from each of them would read it several times over. Too little costs another read, never a wrong page.
 */
export interface FirstReads {
  /** Rows to ask of a partition first, at most `limit`. */
  rows(partition: string, limit: number): number;
  /** A page of `limit` images took `used` rows of a partition. */
  note(partition: string, used: number, limit: number): void;
}

/** Rows above the expected ones: neighbouring pages differ by some, and a second read costs more than these. */
const SPARE_ROWS = 4;
/** A share that a page did not need shrinks by this much, so that the largest of the last pages counts. */
const SHRINK = 0.95;
/** Partitions remembered; owners come and go, so all is forgotten when there are more. */
const MOST_PARTITIONS = 10_000;

export function createFirstReads(): FirstReads {
  const shares = new Map<string, number>();
  return {
    rows(partition, limit) {
      const share = shares.get(partition) ?? 1;
      return Math.min(limit, Math.ceil(share * limit) + SPARE_ROWS);
    },
    note(partition, used, limit) {
      if (shares.size >= MOST_PARTITIONS) shares.clear();
      shares.set(partition, Math.max(used / limit, (shares.get(partition) ?? 0) * SHRINK));
    },
  };
}
