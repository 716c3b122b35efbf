import type { Caller } from '../identity/caller.ts';
import type { Expression, Left, Template } from './expression.ts';
import type { PolicyTarget } from './port.ts';

/** A verdict is there at once unless a remote check was asked. */
export type Verdict = boolean | Promise<boolean>;

/** Asks a remote service (`http:` and `https:` checks). @throws BackendUnavailable */
export type RemoteCheck = (
  url: string,
  question: {
    readonly rule: string;
    readonly target: PolicyTarget;
    readonly credentials: Readonly<Record<string, unknown>>;
  },
) => Promise<boolean>;

/** Everything a rule may look at. */
export interface Evaluation {
  /** The rule that was enforced. */
  readonly rule: string;
  readonly target: PolicyTarget;
  readonly caller: Caller;
  /** The expression of a rule by name; undefined when there is none and no default rule either. */
  readonly find: (name: string) => Expression | undefined;
  readonly remote: RemoteCheck;
}

/** Evaluates a rule that was checked for cycles. @throws what the remote check throws. */
export function evaluate(expression: Expression, on: Evaluation): Verdict {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'not':
      return after(evaluate(expression.of, on), (holds) => !holds);
    case 'and':
      return untilDecided(expression.of, on, false, 0);
    case 'or':
      return untilDecided(expression.of, on, true, 0);
    case 'rule': {
      const rule = on.find(expression.name);
      return rule !== undefined && evaluate(rule, on);
    }
    case 'role': {
      const name = filled(expression.name, on.target)?.toLowerCase();
      return name !== undefined && on.caller.roles.includes(name);
    }
    case 'remote': {
      const url = filled(expression.url, on.target);
      const { rule, target, caller } = on;
      return url !== undefined && on.remote(url, { rule, target, credentials: credentialsOf(caller) });
    }
    case 'equals':
      return isEqual(expression.left, filled(expression.right, on.target), on.caller);
  }
}

/** `and` is decided by the first false, `or` by the first true; what comes after is not looked at. */
function untilDecided(parts: readonly Expression[], on: Evaluation, decisive: boolean, from: number): Verdict {
  for (let at = from; at < parts.length; at += 1) {
    const part = parts[at];
    const verdict = part === undefined ? !decisive : evaluate(part, on);
    if (typeof verdict !== 'boolean')
      return verdict.then((holds) => (holds === decisive ? decisive : untilDecided(parts, on, decisive, at + 1)));
    if (verdict === decisive) return decisive;
  }
  return !decisive;
}

function after(verdict: Verdict, change: (holds: boolean) => boolean): Verdict {
  return typeof verdict === 'boolean' ? change(verdict) : verdict.then(change);
}

/** The template with the target's values in place; undefined when the target lacks a key. */
function filled({ literals, keys }: Template, target: PolicyTarget): string | undefined {
  let text = literals[0] ?? '';
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] ?? '';
    const value = Object.hasOwn(target, key) ? target[key] : undefined;
    if (value === undefined) return undefined;
    text += pythonText(value) + (literals[at + 1] ?? '');
  }
  return text;
}

function isEqual(left: Left, right: string | undefined, caller: Caller): boolean {
  if (right === undefined) return false;
  return 'literal' in left ? left.literal === right : someValue(credentialAt(caller, left.credential), right);
}

/** A list anywhere on the path matches when one of its elements does. */
function someValue(value: unknown, right: string): boolean {
  if (Array.isArray(value)) return value.some((element) => someValue(element, right));
  return value !== undefined && pythonText(value) === right;
}

/** Values compare as Python writes them: rule files are written against that. */
function pythonText(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value))
    return `[${value.map((one) => (typeof one === 'string' ? `'${one}'` : pythonText(one))).join(', ')}]`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

type Credential = (caller: Caller) => unknown;

/** Attributes that rules may name (policy.md "Credentials available"). */
const CREDENTIALS: Readonly<Record<string, Credential>> = {
  user_id: (caller) => caller.userId,
  user_domain_id: (caller) => caller.userDomainId,
  project_id: (caller) => caller.projectId,
  project_domain_id: (caller) => caller.projectDomainId,
  domain_id: (caller) => caller.domainId,
  system_scope: (caller) => caller.systemScope,
  roles: (caller) => caller.roles,
  is_admin_project: () => true,
  service_user_id: (caller) => caller.serviceUserId,
  service_user_domain_id: (caller) => caller.serviceUserDomainId ?? null,
  service_project_id: (caller) => caller.serviceProjectId,
  service_project_domain_id: (caller) => caller.serviceProjectDomainId ?? null,
  service_roles: (caller) => caller.serviceRoles,
};

/** All credentials hold plain values and lists: a longer path leads nowhere. */
function credentialAt(caller: Caller, path: readonly string[]): unknown {
  const [name = '', ...rest] = path;
  return rest.length === 0 && Object.hasOwn(CREDENTIALS, name) ? CREDENTIALS[name]?.(caller) : undefined;
}

/** The credentials as remote checks get them. */
function credentialsOf(caller: Caller): Record<string, unknown> {
  return Object.fromEntries(Object.entries(CREDENTIALS).map(([name, read]) => [name, read(caller)]));
}
