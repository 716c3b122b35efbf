import { z } from 'zod';
import { Forbidden, InvalidInput } from '../../core/errors.ts';
import { refuseOddText } from '../../core/images/text.ts';
import { parseAs } from '../json-body.ts';

/** Set by the service only. */
const READ_ONLY = ['created_at', 'updated_at', 'self', 'schema'];
/** Levels of a body; a namespace with objects with properties with items needs seven. */
const DEPTH = 20;

/** The body of a catalog request, held to its shape. @throws as `bodyOf` */
export function catalogBody<S extends z.ZodType>(schema: S) {
  return z.custom<z.input<S>>().transform((body) => bodyOf(body, schema));
}

/**
 * A body, or a value from elsewhere such as a file, held to its shape.
 * @throws Forbidden for a read-only key; InvalidInput for anything else that does not fit
 */
export function bodyOf<S extends z.ZodType>(body: unknown, schema: S): z.output<S> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new InvalidInput('Provided object does not match schema: an object is expected');
  const readOnly = READ_ONLY.find((key) => Object.hasOwn(body, key));
  if (readOnly !== undefined) throw new Forbidden(`Attribute '${readOnly}' is read-only.`);
  refuseOddTexts(body);
  return parseAs(schema, body);
}

/** Walks without recursion: a body may be nested as deep as its length allows. @throws InvalidInput naming the place */
function refuseOddTexts(body: object): void {
  const waiting: { value: unknown; path: readonly string[] }[] = [{ value: body, path: [] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    if (typeof value === 'string') refuseOddText(path.join('.'), value);
    if (typeof value !== 'object' || value === null) continue;
    if (path.length >= DEPTH) throw new InvalidInput(`${path.join('.')}: nested deeper than ${DEPTH} levels`);
    for (const [key, item] of Object.entries(value)) {
      refuseOddText(path.join('.') || 'body', key);
      if (key === '__proto__') throw new InvalidInput(`'${key}' cannot be the name of anything`);
      waiting.push({ value: item, path: [...path, key] });
    }
  }
}
