import { createHash } from 'node:crypto';
import type { RecordKind } from './records.ts';
import { BASE_ROLES, type BaseRole } from './roles.ts';

/** Ids of what bootstrap makes follow from kind and name: two processes that start at once make the same records. */
export function baseId(kind: RecordKind, name: string): string {
  return createHash('sha256').update(`glimpse ${kind} ${name}`).digest('hex').slice(0, 32);
}

const baseRoleIds = new Map<string, string>(BASE_ROLES.map((name) => [name, baseId('role', name)]));
const baseRoleNames = new Map<string, string>([...baseRoleIds].map(([name, id]) => [id, name]));

export function baseRoleId(name: BaseRole): string {
  return baseId('role', name);
}
/** Id of a role that every deployment has; undefined for another name. */
export const findBaseRoleId = (name: string): string | undefined => baseRoleIds.get(name);
export const findBaseRoleName = (id: string): string | undefined => baseRoleNames.get(id);
