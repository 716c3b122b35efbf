import type { WithConfig } from '../config.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithLookUps } from '../identity/look-ups.ts';

/**
 * Limits of a project that is not the caller's own are asked of the identity service by the id that the caller wrote as owner. It answers
 * for projects that there are not, too, so each counts.
 * @throws TooManyRequests
 */
export async function spendOwnerLookUp(
  { config, lookUps }: WithConfig & WithLookUps,
  caller: Caller,
  owner: string | null,
): Promise<void> {
  const isAsked = config.use_keystone_limits && config.identity.mode === 'keystone';
  if (!isAsked || owner === null || owner === caller.projectId) return;
  await lookUps.spend(caller.projectId);
  await lookUps.fail(caller.projectId);
}
