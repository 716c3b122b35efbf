import type { Caller } from '../identity/caller.ts';
import type { PolicyTarget, WithPolicy } from '../policy/port.ts';
import { enforceFor } from './access.ts';
import type { Visibility } from './image.ts';

/** Rules that setting a visibility needs beyond those of the verb (contract: policy.md section 3). */
const RULES: Partial<Record<Visibility, string>> = { public: 'publicize_image', community: 'communitize_image' };

/** @throws Forbidden, never NotFound */
export async function enforceVisibility(
  deps: WithPolicy,
  visibility: Visibility,
  target: PolicyTarget,
  caller: Caller,
): Promise<void> {
  const rule = RULES[visibility];
  if (rule !== undefined) await enforceFor(deps, rule, target, caller);
}
