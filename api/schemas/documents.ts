/** The documents of /v2/schemas/* (contract: schemas.md sections 2, 3 and 6). They depend on configuration, not on the caller. */
import type { Config } from '../../core/config.ts';
import { MEMBER_STATUSES } from '../../core/members/member.ts';
import { TASK_STATUSES, TASK_TYPES } from '../../core/tasks/task.ts';
import type { Definition } from './definition.ts';
import { baseDefinitions, CUSTOM_DEFINITIONS, UUID_PATTERN } from './image-properties.ts';

const text: Definition = { type: 'string' };
const shownOnly: Definition = { type: 'string', readOnly: true };

const ENTITY_LINKS = [
  { rel: 'self', href: '{self}' },
  { rel: 'enclosure', href: '{file}' },
  { rel: 'describedby', href: '{schema}' },
];
const COLLECTION_LINKS = [
  { rel: 'first', href: '{first}' },
  { rel: 'next', href: '{next}' },
  { rel: 'describedby', href: '{schema}' },
];

function imageDocument(config: Pick<Config, 'image_format'>) {
  return {
    name: 'image',
    properties: { ...CUSTOM_DEFINITIONS, ...baseDefinitions(config) },
    additionalProperties: { type: 'string' },
    links: ENTITY_LINKS,
  };
}

const MEMBER = {
  name: 'member',
  properties: {
    created_at: { ...text, description: 'Date and time of image member creation' },
    image_id: { ...text, description: 'An identifier for the image', pattern: UUID_PATTERN },
    member_id: { ...text, description: 'An identifier for the image member (tenantId)' },
    schema: shownOnly,
    status: { ...text, description: 'The status of this image member', enum: MEMBER_STATUSES },
    updated_at: { ...text, description: 'Date and time of last modification of image member' },
  },
};

const TASK_STUB = {
  id: { ...text, description: 'An identifier for the task', pattern: UUID_PATTERN },
  type: { ...text, description: 'The type of task represented by this content', enum: TASK_TYPES },
  status: { ...text, description: 'The current status of this task', enum: TASK_STATUSES },
  owner: { ...text, description: 'An identifier for the owner of this task' },
  expires_at: { type: ['null', 'string'], description: 'Datetime when this resource would be subject to removal' },
  created_at: { ...text, description: 'Datetime when this resource was created' },
  updated_at: { ...text, description: 'Datetime when this resource was updated' },
  image_id: { ...text, description: 'Image associated with the task' },
  request_id: { ...text, description: 'Human-readable informative request-id' },
  user_id: { ...text, description: 'User associated with the task' },
  self: shownOnly,
  schema: shownOnly,
};

const TASK = {
  name: 'task',
  properties: {
    ...TASK_STUB,
    input: { type: ['null', 'object'], description: 'The parameters required by task, JSON blob' },
    result: { type: ['null', 'object'], description: 'The result of current task, JSON blob' },
    message: { ...text, description: 'Human-readable informative message only included when appropriate' },
  },
};

function list(name: string, items: object) {
  return {
    name,
    properties: { [name]: { type: 'array', items }, schema: text },
    links: [{ rel: 'describedby', href: '{schema}' }],
  };
}

/** All documents of images, members and tasks by their path segment. */
export function schemaDocuments(config: Pick<Config, 'image_format'>) {
  const image = imageDocument(config);
  return {
    image,
    images: {
      name: 'images',
      properties: { images: { type: 'array', items: image }, first: text, next: text, schema: text },
      links: COLLECTION_LINKS,
    },
    member: MEMBER,
    members: list('members', MEMBER),
    task: TASK,
    tasks: list('tasks', { name: 'task', properties: TASK_STUB }),
  };
}
