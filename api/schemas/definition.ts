/**
 * The part of JSON schema that the image service's documents use, and a check of values against it: one table is both what
 * /v2/schemas/* shows and what requests are held to.
 */
export type JsonType = 'string' | 'integer' | 'boolean' | 'object' | 'array' | 'null';

export interface Definition {
  readonly type: JsonType | readonly JsonType[];
  readonly description?: string;
  readonly readOnly?: boolean;
  readonly writeOnly?: boolean;
  readonly is_base?: boolean;
  /** Characters. */
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly (string | null)[];
  readonly items?: Definition;
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Definition;
}

const HAS_TYPE: Readonly<Record<JsonType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => typeof value === 'number' && Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: Array.isArray,
  null: (value) => value === null,
};

/** What is wrong with a value, as a sentence; undefined when it fits. */
export function violation(definition: Definition, value: unknown): string | undefined {
  const types = typeof definition.type === 'string' ? [definition.type] : definition.type;
  if (!types.some((type) => HAS_TYPE[type](value))) return `${shown(value)} is not of type ${types.join(' or ')}`;
  if (definition.enum !== undefined && !definition.enum.some((allowed) => allowed === value))
    return `${shown(value)} is not one of ${JSON.stringify(definition.enum)}`;
  if (typeof value === 'string') return textViolation(definition, value);
  if (Array.isArray(value)) return firstOf(value, (item) => definition.items && violation(definition.items, item));
  if (typeof value === 'object' && value !== null) return objectViolation(definition, value);
  return undefined;
}

function textViolation(definition: Definition, value: string): string | undefined {
  const length = [...value].length;
  if (definition.maxLength !== undefined && length > definition.maxLength)
    return `${shown(value)} is too long: ${length} characters, at most ${definition.maxLength} are allowed`;
  if (definition.minLength !== undefined && length < definition.minLength)
    return `${shown(value)} is too short: ${length} characters, at least ${definition.minLength} are needed`;
  if (definition.pattern !== undefined && !new RegExp(definition.pattern, 'u').test(value))
    return `${shown(value)} does not match ${definition.pattern}`;
  return undefined;
}

function objectViolation(definition: Definition, value: object): string | undefined {
  const missing = definition.required?.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return `'${missing}' is a required property`;
  return firstOf(Object.entries(value), ([key, item]) => {
    const known = definition.properties;
    if (known !== undefined && Object.hasOwn(known, key)) return violation(known[key] as Definition, item);
    if (definition.additionalProperties === false) return `'${key}' is not expected here`;
    return typeof definition.additionalProperties === 'object'
      ? violation(definition.additionalProperties, item)
      : undefined;
  });
}

function firstOf<T>(values: readonly T[], check: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const found = check(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A value as it may stand in a message: not longer than a line. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
