import type { Duty, WithDuties } from '../duties/duty.ts';
import type { WithMetadefs } from './repository.ts';

/** What a crash between writing children and flipping the pointer, or between flipping and removing, left behind. */
export async function sweepGenerations(deps: WithMetadefs & WithDuties, duty: Duty): Promise<void> {
  if (duty.namespaceId !== undefined) await deps.metadefs.sweep(duty.namespaceId, duty.generations ?? []);
  await deps.duties.remove(duty.id);
}
