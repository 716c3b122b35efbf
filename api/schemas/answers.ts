import { z } from 'zod';

const isObject = (value: unknown) => typeof value === 'object' && value !== null;
const fragment = z.custom<object>(isObject, 'an object is expected');
const property = z.custom<{ readonly is_base?: boolean }>(isObject, 'an object is expected');

/** A document of /v2/schemas: a JSON schema of the original's own dialect (contract: schemas.md), so only its frame has a type. */
export const SchemaDocument = z.looseObject({
  name: z.string(),
  properties: z.record(z.string(), fragment).readonly(),
});

/** Of the image: custom properties are told apart by `is_base`. */
export const ImageSchemaDocument = z.looseObject({
  name: z.string(),
  properties: z.record(z.string(), property).readonly(),
});
