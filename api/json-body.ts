import type { z } from 'zod';
import { InvalidInput } from '../core/errors.ts';

/** Parses a JSON text. @throws InvalidInput when it is empty or malformed. */
export function parseJson(text: string): unknown {
  if (text === '') throw new InvalidInput('The request body is missing: JSON is expected.');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidInput('Malformed JSON in request body.', { cause: error });
  }
}

/** Fits a JSON value to a schema. @throws InvalidInput naming the first field that does not fit. */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.');
  throw new InvalidInput(
    `Provided object does not match schema: ${field ? `'${field}': ` : ''}${issue?.message ?? 'not valid'}`,
    { cause: result.error },
  );
}
