/**
 * Bodies of the catalog, and the files that hold one namespace each (contract: metadefs.md sections 3 to 7 and 9). One set of
 * schemas for the API and for whoever reads files, so that what a file's check accepts the API accepts.
 */
import { z } from 'zod';
import { isUnusableName } from '../../core/images/text.ts';
import { PROPERTY_TYPES } from './property-keys.ts';

const NAME_LENGTH = 80;
const DESCRIPTION_LENGTH = 500;
const OWNER_LENGTH = 255;

/** Characters, not code units, as everywhere in the contract. */
const text = (length: number) =>
  z.string().refine((value) => [...value].length <= length, `at most ${length} characters are allowed`);
const name = text(NAME_LENGTH).refine((value) => value !== '', 'a name is needed');
/** The name of a property is its key wherever it is shown among others. */
const dictionaryKey = name.refine((value) => !isUnusableName(value), 'it cannot be the name of anything');
const count = z.int().min(0);

/** A regular expression as clients mean it: Python's names of groups are taken too. */
const pattern = z.string().refine((value) => {
  try {
    return new RegExp(value.replaceAll('(?P<', '(?<')) !== undefined;
  } catch {
    return false;
  }
}, 'not a regular expression');

/** What the answers carry and requests may repeat inside of other things; it is never stored. */
const SERVER_SET = {
  created_at: z.unknown().optional(),
  updated_at: z.unknown().optional(),
  self: z.unknown().optional(),
  schema: z.unknown().optional(),
};
const without = <T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> => {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
};
const withoutServerSet = <T extends Partial<Record<keyof typeof SERVER_SET, unknown>>>(value: T) =>
  without(value, 'created_at', 'updated_at', 'self', 'schema');

const fragment = {
  title: z.string(),
  description: z.string().optional(),
  type: z.enum(PROPERTY_TYPES),
  operators: z.array(z.string()).optional(),
  default: z.unknown().optional(),
  readonly: z.boolean().optional(),
  enum: z.array(z.string()).optional(),
  pattern: pattern.optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: count.optional(),
  maxLength: count.optional(),
  minItems: count.optional(),
  maxItems: count.optional(),
  uniqueItems: z.boolean().optional(),
  additionalItems: z.boolean().optional(),
  items: z.strictObject({ type: z.enum(PROPERTY_TYPES), enum: z.array(z.string()).optional() }).optional(),
};

/** A definition as a value of a dictionary: its key is its name. */
const Definition = z
  .strictObject({ ...fragment, name: z.string().optional() })
  .transform((value) => without(value, 'name'));
const Dictionary = z.record(name, Definition);

/** Body of POST and PUT of a property. */
export const PropertyBody = z.strictObject({ ...fragment, name: dictionaryKey });
export type PropertyBody = z.infer<typeof PropertyBody>;

const object = {
  name,
  description: z.string().optional(),
  required: z
    .array(z.string())
    .refine((names) => new Set(names).size === names.length, 'a name is repeated')
    .optional(),
  properties: Dictionary.optional(),
};
/** Body of POST and PUT of an object. */
export const ObjectBody = z.strictObject(object);
export type ObjectBody = z.infer<typeof ObjectBody>;

export const TagBody = z.strictObject({ name });
export const TagsBody = z.strictObject({
  tags: z.array(z.strictObject({ name, ...SERVER_SET }).transform(withoutServerSet)),
});

const association = { name, prefix: text(NAME_LENGTH).optional(), properties_target: text(NAME_LENGTH).optional() };
/** Body of POST of a resource type association. */
export const AssociationBody = z.strictObject(association);
export type AssociationBody = z.infer<typeof AssociationBody>;

const base = {
  namespace: name,
  display_name: text(NAME_LENGTH).optional(),
  description: text(DESCRIPTION_LENGTH).optional(),
  visibility: z.enum(['public', 'private']).optional(),
  protected: z.boolean().optional(),
  owner: text(OWNER_LENGTH).optional(),
};

/** Body of POST: a namespace with everything in it. */
export const NamespaceBody = z.strictObject({
  ...base,
  resource_type_associations: z
    .array(z.strictObject({ ...association, ...SERVER_SET }).transform(withoutServerSet))
    .optional(),
  properties: Dictionary.optional(),
  objects: z.array(z.strictObject({ ...object, ...SERVER_SET }).transform(withoutServerSet)).optional(),
  tags: z.array(z.strictObject({ name, ...SERVER_SET }).transform(withoutServerSet)).optional(),
});
export type NamespaceBody = z.infer<typeof NamespaceBody>;

/** Body of PUT: what is nested is let through and ignored. */
export const NamespaceUpdate = z.strictObject({
  ...base,
  resource_type_associations: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  objects: z.array(z.unknown()).optional(),
  tags: z.array(z.unknown()).optional(),
});
export type NamespaceUpdate = z.infer<typeof NamespaceUpdate>;
