import type { Caller } from '../identity/caller.ts';
import type { Deps, PolicyTarget } from '../ports.ts';
import { enforceFor } from './access.ts';
import type { Visibility } from './image.ts';

/** Rules that setting a visibility needs beyond those of the verb (contract: policy.md section 3). */
const RULES: Partial<Record<Visibility, string>> = { public: 'publicize_image', community: 'communitize_image' };

/** @throws Forbidden, never NotFound */
export async function enforceVisibility(
  deps: Pick<Deps, 'policy'>,
  visibility: Visibility,
  target: PolicyTarget,
  caller: Caller,
): Promise<void> {
  const rule = RULES[visibility];
  if (rule !== undefined) await enforceFor(deps, rule, target, caller);
}
