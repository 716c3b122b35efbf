import { AwsError } from '../../wire/aws-error.ts';
import type { Charge } from './charges.ts';

/** What one key of a table or an index may take, and has taken. */
export interface MeterOptions {
  /** Units a second of one key; DynamoDB's own limits of a partition by default. */
  readonly readUnitsPerKey?: number;
  readonly writeUnitsPerKey?: number;
  /** Seconds of unused units that a key may spend later, as DynamoDB lends them when it can; 0 is the harder world. */
  readonly burstSeconds?: number;
}

/** What was taken from one key since the start. `peak…` is the most within one second; `throttled` counts refusals. */
export interface KeyReport {
  readonly table: string;
  readonly index?: string;
  readonly key: string;
  readonly requests: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly peakReadUnits: number;
  readonly peakWriteUnits: number;
  readonly throttled: number;
}

/** DynamoDB Developer Guide, "Best practices for designing and using partition keys effectively": of one partition, each second. */
const READ_UNITS = 3000;
const WRITE_UNITS = 1000;

const MESSAGE =
  'The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.';

/** Units taken within the last so many milliseconds. */
class Window {
  readonly #ms: number;
  #entries: { readonly atMs: number; readonly units: number }[] = [];
  #sum = 0;
  constructor(ms: number) {
    this.#ms = ms;
  }
  sum(nowMs: number): number {
    let gone = 0;
    for (const { atMs, units } of this.#entries) {
      if (atMs > nowMs - this.#ms) break;
      this.#sum -= units;
      gone++;
    }
    if (gone > 0) this.#entries = this.#entries.slice(gone);
    return this.#sum;
  }
  add(units: number, nowMs: number): void {
    this.#entries.push({ atMs: nowMs, units });
    this.#sum += units;
  }
}

interface Counted {
  readonly charge: Pick<Charge, 'table' | 'index' | 'key'>;
  readonly allowed: { readonly read: Window; readonly write: Window };
  readonly second: { readonly read: Window; readonly write: Window };
  readonly units: { read: number; write: number };
  readonly peak: { read: number; write: number };
  requests: number;
  throttled: number;
}

/** Counts units per key, and refuses what passes a key's limit. `nowMs` is any clock that does not go back. */
export class Meter {
  readonly #limits: { readonly read: number; readonly write: number };
  readonly #windowMs: number;
  readonly #nowMs: () => number;
  readonly #keys = new Map<string, Counted>();

  constructor(options: MeterOptions = {}, nowMs: () => number = () => performance.now()) {
    const seconds = 1 + (options.burstSeconds ?? 0);
    this.#windowMs = 1000 * seconds;
    this.#limits = {
      read: seconds * (options.readUnitsPerKey ?? READ_UNITS),
      write: seconds * (options.writeUnitsPerKey ?? WRITE_UNITS),
    };
    this.#nowMs = nowMs;
  }

  /**
   * Takes all the charges of a request or none. A key that has taken nothing serves one request of any size.
   * Throws ProvisionedThroughputExceededException, with the reason, when a key's units are used up.
   */
  take(charges: readonly Charge[]): void {
    const now = this.#nowMs();
    for (const charge of charges) {
      const counted = this.#counted(charge);
      const used = counted.allowed[charge.kind].sum(now);
      if (used === 0 || used + charge.units <= this.#limits[charge.kind]) continue;
      counted.throttled++;
      throw throttled(charge);
    }
    for (const charge of charges) {
      const counted = this.#counted(charge);
      const { kind, units } = charge;
      counted.requests++;
      counted.units[kind] += units;
      counted.allowed[kind].add(units, now);
      counted.second[kind].add(units, now);
      counted.peak[kind] = Math.max(counted.peak[kind], counted.second[kind].sum(now));
    }
  }

  /** Every key that was asked for, the busiest first. */
  report(): KeyReport[] {
    return [...this.#keys.values()]
      .map(({ charge, requests, units, peak, throttled }) => ({
        ...charge,
        requests,
        readUnits: units.read,
        writeUnits: units.write,
        peakReadUnits: peak.read,
        peakWriteUnits: peak.write,
        throttled,
      }))
      .sort((a, b) => b.readUnits + b.writeUnits - a.readUnits - a.writeUnits);
  }

  /** Counts anew; what keys have taken within the last second stays taken. */
  reset(): void {
    for (const counted of this.#keys.values()) {
      Object.assign(counted, { requests: 0, throttled: 0 });
      Object.assign(counted.units, { read: 0, write: 0 });
      Object.assign(counted.peak, { read: 0, write: 0 });
    }
  }

  #counted({ table, index, key }: Charge): Counted {
    const id = JSON.stringify([table, index, key]);
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const windows = (ms: number) => ({ read: new Window(ms), write: new Window(ms) });
    const fresh: Counted = {
      charge: index === undefined ? { table, key } : { table, index, key },
      allowed: windows(this.#windowMs),
      second: windows(1000),
      units: { read: 0, write: 0 },
      peak: { read: 0, write: 0 },
      requests: 0,
      throttled: 0,
    };
    this.#keys.set(id, fresh);
    return fresh;
  }
}

/** The refusal of one charge. Source: DynamoDB API Reference, ProvisionedThroughputExceededException and ThrottlingReason. */
export function throttled({ kind, table, index }: Pick<Charge, 'kind' | 'table' | 'index'>): AwsError {
  const reason = `${index === undefined ? 'Table' : 'Index'}${kind === 'read' ? 'Read' : 'Write'}KeyRangeThroughputExceeded`;
  const resource = `arn:aws:dynamodb:us-east-1:000000000000:table/${table}${index === undefined ? '' : `/index/${index}`}`;
  return new AwsError('ProvisionedThroughputExceededException', MESSAGE, 400, {
    ThrottlingReasons: [{ reason, resource }],
  });
}

/** True for the refusal of a charge. */
export const isThrottled = (error: unknown): error is AwsError =>
  error instanceof AwsError && error.code === 'ProvisionedThroughputExceededException';
