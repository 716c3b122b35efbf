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
  const implied: Readonly<Record<string, readonly string[]>> = IMPLIED_ROLES;
  const expanded = new Set(names);
  // A set visits what is added while it is walked.
  for (const name of expanded) for (const next of implied[name] ?? []) expanded.add(next);
  return [...expanded];
}
