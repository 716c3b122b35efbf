import type { Caller } from '../identity/caller.ts';
import type { RuleName } from './defaults.ts';

/** What a rule looks at besides the caller: attributes under their wire names (`owner`, `project_id`, `visibility`, …). */
export type PolicyTarget = Readonly<Record<string, unknown>>;

/** Answers whether a caller may do something (contract: policy.md). */
export interface Policy {
  /**
   * True when the rule holds. A rule of scope type project never holds for a token of system or domain scope.
   * @throws BackendUnavailable when the rule asks a remote service that does not answer.
   */
  allows(rule: RuleName | (string & {}), target: PolicyTarget, caller: Caller): Promise<boolean>;
}
