/** The documents of /v2/schemas/metadefs/* (contract: schemas.md sections 2 and 7, metadefs.md section 5). */
import { PROPERTY_TYPES } from './property-keys.ts';

const text = { type: 'string' };
const name = (description: string) => ({ ...text, maxLength: 80, description });
const time = (what: string) => ({
  ...text,
  readOnly: true,
  format: 'date-time',
  description: `Date and time of ${what}`,
});
const link = { ...text };
const shownTimes = { created_at: time('creation'), updated_at: time('the last change') };
const count = { $ref: '#/definitions/positiveInteger' };
const countFromZero = { $ref: '#/definitions/positiveIntegerDefault0' };
const texts = { $ref: '#/definitions/stringArray' };

const FRAGMENT = {
  title: { ...text, description: 'What a person reads beside the value' },
  description: { ...text, description: 'What the property does' },
  operators: { type: 'array', items: text, description: 'Operators that a value may begin with' },
  type: { ...text, enum: [...PROPERTY_TYPES, null], description: 'JSON type of the value' },
  required: texts,
  minimum: { type: 'number' },
  maximum: { type: 'number' },
  maxLength: count,
  minLength: countFromZero,
  pattern: { ...text, format: 'regex' },
  enum: { type: 'array', items: text },
  readonly: { type: 'boolean', description: 'A service sets it, people do not' },
  default: {},
  items: {
    type: 'object',
    properties: { type: { ...text, enum: [...PROPERTY_TYPES, null] }, enum: { type: 'array' } },
  },
  maxItems: count,
  minItems: countFromZero,
  uniqueItems: { type: 'boolean', default: false },
  additionalItems: { type: 'boolean' },
};

const DEFINITIONS = {
  positiveInteger: { type: 'integer', minimum: 0 },
  positiveIntegerDefault0: { allOf: [{ $ref: '#/definitions/positiveInteger' }, { default: 0 }] },
  stringArray: { type: 'array', items: text, uniqueItems: true },
};
const WITH_PROPERTY = {
  ...DEFINITIONS,
  property: {
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['title', 'type'],
      properties: { name: { ...text, maxLength: 255 }, ...FRAGMENT },
    },
  },
};
const DICTIONARY = { $ref: '#/definitions/property' };

const NAMESPACE = {
  name: 'namespace',
  properties: {
    namespace: name('The unique namespace text'),
    display_name: name('The name to show to people'),
    description: { ...text, maxLength: 500, description: 'What the definitions are about' },
    visibility: { ...text, enum: ['public', 'private'], description: 'Who may see the namespace' },
    protected: { type: 'boolean', description: 'If true, the namespace cannot be deleted' },
    owner: { ...text, maxLength: 255, description: 'Project that owns the namespace' },
    ...shownTimes,
    schema: link,
    self: link,
    resource_type_associations: {
      type: 'array',
      items: { type: 'object', properties: { name: text, prefix: text, properties_target: text } },
    },
    properties: DICTIONARY,
    objects: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: text, description: text, required: texts, properties: DICTIONARY },
      },
    },
    tags: { type: 'array', items: { type: 'object', properties: { name: text } } },
  },
  required: ['namespace'],
  definitions: WITH_PROPERTY,
  additionalProperties: false,
};

const ASSOCIATION = {
  name: 'resource_type_association',
  properties: {
    name: name('Resource type, named after the resource of an orchestration template where there is one'),
    prefix: name('Put before every property name for this resource type'),
    properties_target: name('Which of the property sets of the resource type is meant'),
    ...shownTimes,
  },
  required: ['name'],
  additionalProperties: false,
};

const PROPERTY = {
  name: 'property',
  properties: { name: name('Name of the property'), ...FRAGMENT },
  required: ['type', 'title', 'name'],
  definitions: DEFINITIONS,
  additionalProperties: false,
};

const OBJECT = {
  name: 'object',
  properties: {
    name: name('Name of the object'),
    description: { ...text, description: 'What the properties are together' },
    self: link,
    required: texts,
    properties: DICTIONARY,
    schema: link,
    ...shownTimes,
  },
  required: ['name'],
  definitions: WITH_PROPERTY,
  additionalProperties: false,
};

const TAG = {
  name: 'tag',
  properties: { name: name('The tag'), ...shownTimes },
  required: ['name'],
  additionalProperties: false,
};

const LINKS = [
  { rel: 'first', href: '{first}' },
  { rel: 'next', href: '{next}' },
  { rel: 'describedby', href: '{schema}' },
];

interface Document {
  readonly name: string;
  readonly definitions?: object;
}

/** Definitions stand at the top of the list's document, not inside of its items. */
function collection(name: string, { definitions, ...item }: Document) {
  return {
    name,
    properties: { [name]: { type: 'array', items: item }, first: text, next: text, schema: text },
    ...(definitions !== undefined && { definitions }),
    links: LINKS,
  };
}

const { definitions: propertyDefinitions, ...PROPERTY_ITEM } = PROPERTY;

/** By their path segment. */
export const METADEF_DOCUMENTS = {
  namespace: NAMESPACE,
  namespaces: collection('namespaces', NAMESPACE),
  resource_type: ASSOCIATION,
  resource_types: collection('resource_type_associations', ASSOCIATION),
  property: PROPERTY,
  properties: {
    name: 'properties',
    properties: {
      properties: { type: 'object', additionalProperties: PROPERTY_ITEM },
      first: text,
      next: text,
      schema: text,
    },
    definitions: propertyDefinitions,
    links: LINKS,
  },
  object: OBJECT,
  objects: collection('objects', OBJECT),
  tag: TAG,
  tags: collection('tags', TAG),
};
