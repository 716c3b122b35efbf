import { z } from 'zod';
import type { NewTask } from '../../core/imports/create-task.ts';
import { parseCreate } from '../images/create-body.ts';
import { parseAs } from '../json-body.ts';
import type { Settings } from '../route.ts';
import type { Definition } from '../schemas/definition.ts';
import { baseDefinitions } from '../schemas/image-properties.ts';

/** Only `import` is made by clients; the other types of the schema would stay pending for ever. */
const TaskCreate = z.strictObject({ type: z.literal('import'), input: z.record(z.string(), z.unknown()) });

const ImportInput = z.looseObject({
  import_from: z.string().optional(),
  import_from_format: z.string().optional(),
  image_properties: z.record(z.string(), z.unknown()).optional(),
});

/** Body of POST /v2/tasks. @throws as `parseTask` */
export const TaskBody = (settings: Settings) => {
  const definitions = baseDefinitions(settings);
  return z.custom<z.input<typeof TaskCreate>>().transform((body) => parseTask(body, definitions));
};

/** Body of POST /v2/tasks (contract: import.md section 9). @throws InvalidInput, Forbidden as for POST image */
function parseTask(body: unknown, definitions: Readonly<Record<string, Definition>>): NewTask {
  const { input } = parseAs(TaskCreate, body);
  const known = parseAs(ImportInput, input);
  return {
    input,
    importFrom: known.import_from,
    format: known.import_from_format,
    ...(known.image_properties && { image: parseCreate(known.image_properties, definitions) }),
  };
}
