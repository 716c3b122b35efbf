/** Taking an image out of use and back (contract: images.md section 8). */

import type { WithConfig } from '../config.ts';
import { Conflict, Forbidden } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import { enforce, seenImage } from './access.ts';
import type { WithImages } from './repository.ts';

type ActivationDeps = WithConfig & WithImages & WithMembers & WithPolicy;

const ACTIONS = {
  deactivate: { from: 'active', to: 'deactivated' },
  reactivate: { from: 'deactivated', to: 'active' },
} as const;

/**
 * Idempotent: an image that is there already stays as it is.
 * @throws NotFound; Forbidden by policy or in any other status
 */
export async function actOnImage(
  deps: ActivationDeps,
  caller: Caller,
  id: string,
  action: keyof typeof ACTIONS,
): Promise<void> {
  const { from, to } = ACTIONS[action];
  const seen = await seenImage(deps, caller, id);
  await enforce(deps, action, seen, caller);
  if (seen.image.status === to) return;
  const refused = `Not allowed to ${action} image in status '${seen.image.status}'`;
  if (seen.image.status !== from) throw new Forbidden(refused);
  try {
    await deps.images.change(id, { expect: { status: [from] }, set: { status: to } });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    if ((await deps.images.get(id))?.status !== to) throw new Forbidden(refused, { cause: error });
  }
}
