import { z } from 'zod';
import { Forbidden, InvalidInput } from '../../core/errors.ts';
import { isOddText, refuseOddText, refuseUnusableName } from '../../core/images/text.ts';
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

/** A value on the way through a body. */
interface Place {
  readonly value: unknown;
  readonly key: string;
  readonly depth: number;
  readonly parent: Place | undefined;
}

/** Walks without recursion, and spells a place only when something is wrong there. @throws InvalidInput naming the place */
function refuseOddTexts(body: object): void {
  const waiting: Place[] = [{ value: body, key: '', depth: 0, parent: undefined }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { value } = place;
    if (typeof value === 'string' && isOddText(value)) refuseOddText(pathOf(place), value);
    if (typeof value === 'object' && value !== null) for (const inside of placesIn(place, value)) waiting.push(inside);
  }
}

function placesIn(parent: Place, value: object): Place[] {
  const { depth } = parent;
  if (depth >= DEPTH) throw new InvalidInput(`${pathOf(parent)}: nested deeper than ${DEPTH} levels`);
  return Object.entries(value).map(([key, item]) => {
    if (isOddText(key)) refuseOddText(pathOf(parent) || 'body', key);
    refuseUnusableName(key);
    return { value: item, key, depth: depth + 1, parent };
  });
}

function pathOf(place: Place): string {
  const above = place.parent === undefined ? '' : pathOf(place.parent);
  return above === '' ? place.key : `${above}.${place.key}`;
}
