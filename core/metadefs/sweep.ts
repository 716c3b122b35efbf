import type { Deps, Duty } from '../ports.ts';

/** What a crash between writing children and flipping the pointer, or between flipping and removing, left behind. */
export async function sweepGenerations(deps: Pick<Deps, 'metadefs' | 'duties'>, duty: Duty): Promise<void> {
  if (duty.namespaceId !== undefined) await deps.metadefs.sweep(duty.namespaceId, duty.generations ?? []);
  await deps.duties.remove(duty.id);
}
