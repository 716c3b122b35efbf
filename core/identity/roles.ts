import type { ValidToken } from './repository.ts';
/** Roles that every deployment has, and what each implies (Keystone's bootstrap: admin ⊃ manager ⊃ member ⊃ reader). */
export const IMPLIED_ROLES = {
  admin: ['manager'],
  manager: ['member'],
  member: ['reader'],
  reader: [],
  service: [],
} as const satisfies Record<string, readonly string[]>;

export type BaseRole = keyof typeof IMPLIED_ROLES;
export const BASE_ROLES = Object.keys(IMPLIED_ROLES) as readonly BaseRole[];

/** The role names together with all that they imply, each once, in the order they are met. */
export function expandRoles(names: readonly string[]): string[] {
  const implied = new Map<string, readonly string[]>(Object.entries(IMPLIED_ROLES));
  const expanded = new Set(names);
  // A set visits what is added while it is walked.
  for (const name of expanded) for (const next of implied.get(name) ?? []) expanded.add(next);
  return [...expanded];
}

export function isAdmin(caller: Pick<ValidToken, 'roles'>): boolean {
  return caller.roles.some(({ name }) => name.toLowerCase() === 'admin');
}
