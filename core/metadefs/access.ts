/**
 * Who sees a namespace and who may do what in it (contract: metadefs.md section 2, policy.md section 3). Visibility comes first
 * and no policy loosens it; then rules speak. What a caller may not see does not exist for it.
 */

import type { WithClock, WithIds } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { Forbidden, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { PolicyTarget, WithPolicy } from '../policy/port.ts';
import type { Namespace } from './namespace.ts';
import type { WithMetadefs } from './repository.ts';

export type MetadefDeps = WithMetadefs & WithPolicy & WithClock & WithIds & WithConfig;

export function noSuchNamespace(name: string): NotFound {
  return new NotFound(`Metadata definition namespace=${name} was not found.`);
}

/** Public, the caller's own, or the caller is an admin. */
export function isVisibleTo({ visibility, owner }: Pick<Namespace, 'visibility' | 'owner'>, caller: Caller): boolean {
  return caller.isAdmin || visibility === 'public' || (owner !== null && owner === caller.projectId);
}

/** What rules may look at. */
export function namespaceTarget(namespace: Namespace): PolicyTarget {
  const { name, owner, visibility } = namespace;
  return { namespace: name, owner, project_id: owner, visibility, protected: namespace.protected };
}

/** The namespace as far as the caller may see and do. @throws NotFound, Forbidden */
export async function reachNamespace(
  deps: MetadefDeps,
  caller: Caller,
  name: string,
  ...rules: readonly string[]
): Promise<Namespace> {
  const namespace = await deps.metadefs.find(name);
  if (namespace === undefined || !isVisibleTo(namespace, caller)) throw noSuchNamespace(name);
  await enforceOn(deps, caller, namespace, rules);
  return namespace;
}

/** @throws Forbidden when a rule fails; NotFound when `get_metadef_namespace` fails too */
export async function enforceOn(
  deps: WithPolicy,
  caller: Caller,
  namespace: Namespace,
  rules: readonly string[],
): Promise<void> {
  refuseReadOnly(caller, rules);
  const target = namespaceTarget(namespace);
  for (const rule of rules) {
    if (await deps.policy.allows(rule, target, caller)) continue;
    if (rule !== 'get_metadef_namespace' && (await deps.policy.allows('get_metadef_namespace', target, caller)))
      throw forbidden(rule);
    throw noSuchNamespace(namespace.name);
  }
}

/** Checks rules that concern no existing namespace: the caller's project stands for its owner. @throws Forbidden */
export async function enforceHere(deps: WithPolicy, caller: Caller, ...rules: readonly string[]): Promise<void> {
  refuseReadOnly(caller, rules);
  const target = { project_id: caller.projectId, owner: caller.projectId };
  for (const rule of rules) {
    if (!(await deps.policy.allows(rule, target, caller))) throw forbidden(rule);
  }
}

/** @throws Forbidden */
export function refuseProtected(namespace: Namespace, what: string): void {
  if (namespace.protected)
    throw new Forbidden(`Metadata definition namespace ${namespace.name} is protected: ${what} cannot be deleted.`);
}

function forbidden(rule: string): Forbidden {
  return new Forbidden(`You are not authorized to complete ${rule} action.`);
}

const READS = /^(?:get|list)_/;

function refuseReadOnly(caller: Caller, rules: readonly string[]): void {
  if (caller.isReadOnly === true && rules.some((rule) => !READS.test(rule))) throw new Forbidden('Read-only access');
}
