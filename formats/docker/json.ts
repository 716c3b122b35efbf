/** Untrusted JSON: bounded size and depth, own properties only. Facts sections 11 and 15. */
import { capped } from '../engine/bytes.ts';
import { LimitExceeded, Unsafe } from '../engine/errors.ts';

export const MAX_JSON_BYTES = 1024 * 1024;
const MAX_DEPTH = 32;

/** @throws Unsafe (`json_unsafe`) when it is not JSON in UTF-8, LimitExceeded on size or depth */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  capped(bytes.length, MAX_JSON_BYTES, `${what}: bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    // biome-ignore lint/style/useErrorCause: the cause is there, as the third argument
    throw new Unsafe('json_unsafe', `${what} is not valid UTF-8`, { cause });
  }
  requireShallow(text, what);
  try {
    return JSON.parse(text);
  } catch (cause) {
    // biome-ignore lint/style/useErrorCause: the cause is there, as the third argument
    throw new Unsafe('json_unsafe', `${what} is not valid JSON`, { cause });
  }
}

/** Counts brackets outside strings, in one pass: a regular expression for strings could be made to backtrack. */
function requireShallow(text: string, what: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at++;
      else inString = char !== '"';
    } else {
      inString = char === '"';
      depth += DEPTH_OF[char ?? ''] ?? 0;
      if (depth > MAX_DEPTH) throw new LimitExceeded(`${what}: nested deeper than ${MAX_DEPTH}`);
    }
  }
}

const DEPTH_OF: Readonly<Record<string, number>> = { '[': 1, '{': 1, ']': -1, '}': -1 };

/** An own property of a JSON object; undefined for anything else, inherited names included. */
export function property(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

/** The value when it is a string, else undefined. */
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The strings of an array; undefined when it is no array or holds anything else. */
export function asStrings(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}
