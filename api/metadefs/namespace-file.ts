/**
 * Files of the catalog, one namespace each, in the form that glance-manage loads and exports (contract: metadefs.md section 9).
 * What is loaded and exported again is the same byte by byte once it was exported.
 */
import { InvalidInput } from '../../core/errors.ts';
import { NamespaceBody } from './definition-schemas.ts';
import { bodyOf } from './read-body.ts';

/** A namespace as a file says it: who does not name an owner means the literal `admin`. */
export type NamespaceFile = NamespaceBody & { readonly owner: string };

const SERVER_SET = new Set(['created_at', 'updated_at', 'self', 'schema']);

/**
 * Reads one file. Objects lose their `required`, as in the original.
 * @param file its name, for messages
 * @throws InvalidInput naming the file, the place in it and the reason
 */
export function parseNamespaceFile(text: string, file: string): NamespaceFile {
  try {
    const body = bodyOf(cleaned(JSON.parse(text)), NamespaceBody);
    const objects = body.objects?.map(({ required, ...object }) => object);
    return { ...body, owner: body.owner ?? 'admin', ...(objects !== undefined && { objects }) };
  } catch (error) {
    throw new InvalidInput(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** The original exports what is not set as null, and answers carry what only the service sets: neither is meant here. */
function cleaned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([key, item]) => item !== null && !SERVER_SET.has(key));
  const associations = (item: unknown) => (Array.isArray(item) ? item.map(cleaned) : item);
  const nested = new Set(['resource_type_associations', 'objects']);
  return Object.fromEntries(entries.map(([key, item]) => [key, nested.has(key) ? associations(item) : item]));
}

interface ShownNamespace {
  readonly namespace: string;
  readonly display_name?: string | undefined;
  readonly description?: string | undefined;
  readonly visibility: string;
  readonly protected: boolean;
  readonly resource_type_associations?: readonly Readonly<Record<string, unknown>>[] | undefined;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly objects?: readonly Readonly<Record<string, unknown>>[] | undefined;
  readonly tags?: readonly { readonly name: string }[] | undefined;
}

/** The file of a namespace as the API shows it: everything in one order, no owner, no times. */
export function namespaceFileText(shown: ShownNamespace): string {
  const { namespace, display_name, description, visibility, resource_type_associations = [] } = shown;
  const { properties = {}, objects = [], tags = [] } = shown;
  const file = {
    namespace,
    display_name,
    description,
    visibility,
    protected: shown.protected,
    resource_type_associations: resource_type_associations.map(({ name, prefix, properties_target }) => ({
      name,
      prefix,
      properties_target,
    })),
    properties,
    objects: objects.map((object) => ({
      name: object['name'],
      description: object['description'],
      properties: object['properties'] ?? {},
    })),
    tags: tags.map(({ name }) => ({ name })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** `Watchdog Behavior` → `WatchdogBehavior.json`: letters and digits of the name that people see. */
export function namespaceFileName({
  namespace,
  display_name,
}: Pick<ShownNamespace, 'namespace' | 'display_name'>): string {
  const letters = (text: string) => text.replaceAll(/[^\p{L}\p{N}]/gu, '');
  return `${letters(display_name ?? '') || letters(namespace) || 'namespace'}.json`;
}
