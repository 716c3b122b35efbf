import { z } from 'zod';

const fragment = z.custom<object>((value) => typeof value === 'object' && value !== null, 'an object is expected');

/** A document of /v2/schemas: a JSON schema of the original's own dialect (contract: schemas.md), so only its frame has a type. */
export const SchemaDocument = z.looseObject({
  name: z.string(),
  properties: z.record(z.string(), fragment).readonly(),
});

/** Of the image: custom properties are told apart by `is_base`. */
export const ImageSchemaDocument = z.looseObject({
  name: z.string(),
  properties: z.record(z.string(), z.object({ is_base: z.boolean().exactOptional() })).readonly(),
});
