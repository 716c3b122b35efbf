import { BackendUnavailable } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { RULES, type RuleDefault } from './defaults.ts';
import { evaluate, type RemoteCheck } from './evaluate.ts';
import type { Expression } from './expression.ts';
import type { PolicyPort, PolicyTarget } from './port.ts';
import { buildRules } from './rule-set.ts';

/**
 * Who may do what: the oslo.policy language with Glance's rule names and defaults (contract: policy.md).
 * This folder owns rules and their evaluation; which rule an operation asks is said in the operation's own function.
 */
export interface PolicyOptions {
  /** Rules of the operator's files (policy-file.ts). */
  readonly overrides?: ReadonlyMap<string, Expression>;
  /** `enforce_new_defaults`; default true. */
  readonly newDefaults?: boolean;
  /** `policy_default_rule`; default `default`. */
  readonly defaultRule?: string;
  /** Answers `http:` and `https:` checks; absent: they fail with BackendUnavailable. */
  readonly remote?: RemoteCheck;
}

export interface Policy extends PolicyPort {
  /** Names in the overrides that nothing asks for; worth a warning at start. */
  readonly unused: readonly string[];
  /** True when there is a rule of this name, without the default rule's help. */
  has(rule: string): boolean;
}

/** Everything is parsed here, once. @throws PolicyError for a circle or a reference to a missing rule. */
export function createPolicy(options: PolicyOptions = {}): Policy {
  const { newDefaults = true, defaultRule = 'default', remote = noRemote } = options;
  const overrides = options.overrides ?? new Map<string, Expression>();
  const { find, has, unused } = buildRules({ overrides, newDefaults, defaultRule });
  return {
    unused,
    has,
    allows: async (rule: string, target: PolicyTarget, caller: Caller) => {
      if (isOutOfScope(rule, caller)) return false;
      const expression = find(rule);
      return expression !== undefined && evaluate(expression, { rule, target, caller, find, remote });
    },
  };
}

/** Rules of scope type project refuse tokens of another scope; a token without any counts as project. */
function isOutOfScope(rule: string, caller: Caller): boolean {
  if (caller.systemScope === null && caller.domainId === null) return false;
  const known: RuleDefault | undefined = Object.hasOwn(RULES, rule) ? RULES[rule as keyof typeof RULES] : undefined;
  return known?.scope === 'project';
}

const noRemote: RemoteCheck = (url) => Promise.reject(new BackendUnavailable(`No remote policy checks here: ${url}`));
