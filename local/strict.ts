import type { StrictOptions } from './dynamodb/strict/operations.ts';
import type { EdgeOptions } from './edge.ts';
import type { IamOptions } from './iam/iam.ts';
import type { SandboxOptions } from './lambda/sandboxes.ts';
import type { StrictS3Options } from './s3/strict.ts';

/** Which services behave as hard as AWS can; absent: as kind as a test bed usually is. Every switch is for tests and off by default. */
export interface Strict {
  /** Units per key, unprocessed items, throttling (dynamodb/strict/operations.ts). */
  readonly dynamodb?: StrictOptions;
  /** Regions, copies, SlowDown (s3/strict.ts). */
  readonly s3?: StrictS3Options;
  /** Identity policies for every call (iam/iam.ts). */
  readonly iam?: IamOptions;
  /** Functions as a deployment packages them, with Lambda's limits (lambda/sandbox.ts); whoever hosts functions reads it. */
  readonly bundles?: BundlesOptions;
  /** Errors that are kept, limits of requests (edge.ts); whoever has the public port reads it. */
  readonly front?: EdgeOptions;
}

export interface BundlesOptions extends SandboxOptions {
  /** A folder that holds the packages of a deployment; absent: they are made at the start. */
  readonly deployment?: string;
}

const SERVICES: readonly string[] = ['dynamodb', 's3', 'iam', 'bundles', 'front'] satisfies (keyof Strict)[];

/**
 * Reads the text of a switch such as GLIMPSE_LOCAL_STRICT: names with commas between (`dynamodb`), each with its defaults, or
 * JSON with options by name (`{"dynamodb": {"throttleRate": 0.1}}`). Throws TypeError with one sentence.
 */
export function readStrict(text: string | undefined): Strict {
  const trimmed = text?.trim() ?? '';
  const named = trimmed.startsWith('{')
    ? (JSON.parse(trimmed) as Record<string, unknown>)
    : Object.fromEntries(
        trimmed
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '')
          .map((name) => [name, {}]),
      );
  for (const [name, options] of Object.entries(named)) {
    if (!SERVICES.includes(name))
      throw new TypeError(`no such strict service: ${name} (there are ${SERVICES.join(', ')})`);
    if (typeof options !== 'object' || options === null) throw new TypeError(`the options of ${name} are no object`);
  }
  return named as Strict;
}
