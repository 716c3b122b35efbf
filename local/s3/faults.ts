import { InjectedFault } from './errors.ts';

/** How a bucket misbehaves. */
export interface Fault {
  readonly status: number;
  /** Error code in the XML body. */
  readonly code: string;
  /** HTTP methods that fail; all when absent. */
  readonly methods?: readonly string[];
  /** Only keys that start with this fail; all requests to the bucket when absent. */
  readonly keyPrefix?: string;
  /** Number of requests that fail before the bucket recovers; no end when absent. */
  readonly count?: number;
}

/** Failures that tests ask for, by bucket. Not part of S3. */
export class Faults {
  readonly #faults = new Map<string, { readonly fault: Fault; left: number }>();

  /** Breaks a bucket, or mends it with `undefined`. */
  set(bucket: string, fault: Fault | undefined): void {
    if (fault === undefined) this.#faults.delete(bucket);
    else this.#faults.set(bucket, { fault, left: fault.count ?? Number.POSITIVE_INFINITY });
  }

  /** Throws InjectedFault when a request to `bucket` is to fail; a CopyObject asks for both buckets. */
  check(method: string, bucket: string, key: string): void {
    const entry = this.#faults.get(bucket);
    if (entry === undefined) return;
    const { fault } = entry;
    if (fault.methods !== undefined && !fault.methods.includes(method)) return;
    if (fault.keyPrefix !== undefined && !key.startsWith(fault.keyPrefix)) return;
    entry.left -= 1;
    if (entry.left <= 0) this.#faults.delete(bucket);
    throw new InjectedFault(fault.status, fault.code);
  }
}

/** Reads the JSON body of the fault hook. Throws TypeError with a sentence for the caller. */
export function parseFault(body: string): Fault {
  const value: unknown = JSON.parse(body);
  const fault = value as Partial<Fault> | null;
  if (
    typeof fault?.status !== 'number' ||
    !Number.isInteger(fault.status) ||
    fault.status < 400 ||
    fault.status > 599
  ) {
    throw new TypeError('status must be an integer from 400 to 599');
  }
  if (typeof fault.code !== 'string') throw new TypeError('code must be a string');
  return fault as Fault;
}
