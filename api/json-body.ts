import { z } from 'zod';
import { InvalidInput } from '../core/errors.ts';

/** No document of the API comes near; what handles values by recursion is safe below it. */
const MAX_DEPTH = 100;

/** Parses a JSON text. @throws InvalidInput when it is empty, malformed, or nested too deeply. */
export function parseJson(text: string): unknown {
  if (text === '') throw new InvalidInput('The request body is missing: JSON is expected.');
  const value = parsed(text);
  if (isDeeper(value, MAX_DEPTH))
    throw new InvalidInput(`The request body is nested more than ${MAX_DEPTH} levels deep.`);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidInput('Malformed JSON in request body.', { cause: error });
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; depth <= levels && level.length > 0; depth++)
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  return level.length > 0;
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
