import { z } from 'zod';
import { InvalidInput } from '../core/errors.ts';
import { refuseUnusableName } from '../core/images/text.ts';
import { BODY_BYTES, BODY_DEPTH, BODY_VALUES, refuseMore } from '../core/request-limits.ts';

/**
 * Parses a JSON text. Its size, depth and number of values are known before anything is made of it.
 * @throws InvalidInput when it is empty, malformed, nested too deeply, or has a key that nothing can be kept under; LimitExceeded when it is too large
 */
export function parseJson(text: string): unknown {
  if (text === '') throw new InvalidInput('The request body is missing: JSON is expected.');
  refuseMore('bytes of the request body', Buffer.byteLength(text), BODY_BYTES);
  refuseShape(text);
  const value = parsed(text);
  refuseNames(value);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidInput('Malformed JSON in request body.', { cause: error });
  }
}

/** Bodies are kept with keys that nobody looked at: of tasks, of locations. @throws InvalidInput */
function refuseNames(body: unknown): void {
  const waiting = [body];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inside] of Object.entries(value)) {
      refuseUnusableName(key);
      waiting.push(inside);
    }
  }
}

const DEPTH_STEPS = new Map([
  ['[', 1],
  ['{', 1],
  [']', -1],
  ['}', -1],
]);

/**
 * One walk over the characters: brackets and commas outside of strings say how deep a text is and how much it holds.
 * @throws InvalidInput, LimitExceeded
 */
function refuseShape(text: string): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') at = endOfString(text, at);
    const step = DEPTH_STEPS.get(character) ?? 0;
    depth += step;
    if (depth > BODY_DEPTH) throw new InvalidInput(`The request body is nested more than ${BODY_DEPTH} levels deep.`);
    if (step === 1 || character === ',') values += 1;
  }
  refuseMore('values in the request body', values, BODY_VALUES);
}

/** Where the string that begins at `start` ends; the end of the text when it does not. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
  return at;
}

/** Fits a JSON value to a schema. @throws InvalidInput naming the first field that does not fit. */
export function parseAs<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.');
  const problem = issue?.message.endsWith('received undefined') ? 'it is missing' : (issue?.message ?? 'not valid');
  throw new InvalidInput(`Provided object does not match schema: ${field ? `'${field}': ` : ''}${problem}`, {
    cause: result.error,
  });
}
