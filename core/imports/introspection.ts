/**
 * Plugin image_introspection: what the engine found out about the bytes of an import stays on the image, as properties that neither its
 * owner nor an administrator set. It is written with the change that makes the image active, once: a failed import leaves nothing
 * behind, and whoever changed or removed a property since is left alone.
 */
import type { WithConfig } from '../config.ts';
import { InvalidInput, LimitExceeded } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { Image, Origin } from '../images/image.ts';
import type { ImageChange } from '../images/repository.ts';
import { checkPropertyQuota, checkValues } from '../images/rules.ts';
import type { WithPolicy, WithProtections } from '../policy/port.ts';
import type { Introspection } from '../tasks/task.ts';
import type { ImportTask } from './report/import-task.ts';

/** What of the properties that were found who asked for the import may make. */
export async function permitted(
  deps: WithPolicy & WithProtections,
  task: ImportTask,
  found: Introspection,
): Promise<Introspection> {
  const { protections } = deps;
  if (protections === undefined) return found;
  const requester = await requesterOf(deps, task);
  const properties: Record<string, string> = {};
  for (const [key, value] of Object.entries(found.properties))
    if (await protections.mayCreate(key, requester)) properties[key] = value;
  return { ...found, properties };
}

/** Says what a file of that format is, not what the guest needs: after a conversion it would be wrong. */
const OF_THE_FILE: ReadonlySet<string> = new Set(['vmware_disktype']);

/** What is added to the change that ends an import; it holds only for the image as it was read. */
export function introspected(
  deps: WithConfig,
  { id, facts: { kept, targetFormat } }: ImportTask,
  image: Image,
): Pick<ImageChange, 'expect' | 'set' | 'mergeProperties'> {
  if (kept === undefined || image.origin?.taskId === id) return {};
  const isConverted = targetFormat !== undefined;
  const known = Object.entries(kept.properties).filter(([key]) => !(isConverted && OF_THE_FILE.has(key)));
  return {
    expect: { revision: image.revision },
    set: { origin: isConverted ? { taskId: id, source: sourceOf(kept) } : { taskId: id } },
    mergeProperties: addable(deps, image.properties, known),
  };
}

function sourceOf({ format, subformat, properties }: Introspection): NonNullable<Origin['source']> {
  const adapterType = properties['vmware_adaptertype'];
  return {
    format,
    ...(subformat === undefined ? {} : { subformat }),
    ...(adapterType === undefined ? {} : { adapterType }),
  };
}

/** Properties that the image does not have, and that its rules and quota have room for. */
function addable(
  deps: WithConfig,
  properties: Image['properties'],
  known: readonly (readonly [string, string])[],
): Record<string, string> {
  const added: Record<string, string> = {};
  for (const [key, value] of known)
    if (!Object.hasOwn(properties, key) && isRoomFor(deps, properties, { ...added, [key]: value })) added[key] = value;
  return added;
}

/** What an appliance's descriptor says is anybody's text: what no client could set is left out. */
function isRoomFor(
  { config }: WithConfig,
  properties: Image['properties'],
  added: Readonly<Record<string, string>>,
): boolean {
  try {
    checkValues({ properties: added });
    checkPropertyQuota(config, properties, { ...properties, ...added });
    return true;
  } catch (error) {
    if (error instanceof InvalidInput || error instanceof LimitExceeded) return false;
    throw error;
  }
}

/** Who asked for an import, as far as its task remembers. */
async function requesterOf({ policy }: WithPolicy, task: ImportTask): Promise<Caller> {
  const caller = {
    userId: task.userId ?? '',
    userName: '',
    userDomainId: '',
    projectId: task.owner,
    projectName: null,
    projectDomainId: null,
    domainId: null,
    systemScope: null,
    roles: task.import.roles,
    serviceRoles: [],
    serviceUserId: null,
    serviceProjectId: null,
    isAdmin: false,
    requestId: task.requestId ?? '',
  };
  return { ...caller, isAdmin: await policy.allows('context_is_admin', {}, caller) };
}
