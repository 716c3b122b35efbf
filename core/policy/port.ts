import type { Caller } from '../identity/caller.ts';

/** Facts of a resource that a policy rule may look at: the wire's names (contract: policy.md section 1, Targets). */
export type PolicyTarget = Readonly<Record<string, unknown>>;

export interface PolicyPort {
  /** True when the rule holds for this target and caller. @throws BackendUnavailable when a remote check cannot be asked. */
  allows(rule: string, target: PolicyTarget, caller: Caller): Promise<boolean>;
}

/** Who may do what to single custom properties (contract: policy.md section 4). Absent from Deps when there are none. */
export interface PropertyProtections {
  mayCreate(property: string, caller: Caller): boolean | Promise<boolean>;
  mayRead(property: string, caller: Caller): boolean | Promise<boolean>;
  mayUpdate(property: string, caller: Caller): boolean | Promise<boolean>;
  mayDelete(property: string, caller: Caller): boolean | Promise<boolean>;
}

/** Of a verb that asks whether the caller may. */
export interface WithPolicy {
  readonly policy: PolicyPort;
}

/** Of a verb on custom properties; absent: none is protected. */
export interface WithProtections {
  readonly protections?: PropertyProtections;
}
