import { at, type Route } from '../route.ts';
import { ImageSchemaDocument, SchemaDocument } from './answers.ts';

const route = at('images', 'token');

/** The documents of /v2/schemas (contract: schemas.md section 1); those of the catalog are in api/metadefs/routes.ts. */
export const SCHEMA_ROUTES = {
  showImageSchema: route('GET', '/v2/schemas/image', 200, { body: 'refused', answer: ImageSchemaDocument }),
  showImagesSchema: route('GET', '/v2/schemas/images', 200, { body: 'refused', answer: SchemaDocument }),
  showMemberSchema: route('GET', '/v2/schemas/member', 200, { body: 'refused', answer: SchemaDocument }),
  showMembersSchema: route('GET', '/v2/schemas/members', 200, { body: 'refused', answer: SchemaDocument }),
  showTaskSchema: route('GET', '/v2/schemas/task', 200, { answer: SchemaDocument }),
  showTasksSchema: route('GET', '/v2/schemas/tasks', 200, { answer: SchemaDocument }),
} as const satisfies Record<string, Route>;
