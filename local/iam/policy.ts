import { isObject, type Json, type JsonObject } from '../wire/json.ts';
import { type ConditionBlock, conditionsOf } from './conditions.ts';

/** One statement, read: lists where a document may give one value. Exactly one of `actions` and `notActions` is there, likewise for resources. */
export interface Statement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly resources?: readonly string[];
  readonly notResources?: readonly string[];
  readonly conditions: ConditionBlock;
}

const KNOWN = new Set(['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition', 'Principal']);

/**
 * Reads a policy document (IAM User Guide, "Grammar of the IAM JSON policy language"). Throws TypeError for whatever it does not
 * understand: a policy read wrongly must not allow anything.
 */
export function parsePolicy(document: unknown): Statement[] {
  const value: unknown = typeof document === 'string' ? JSON.parse(document) : document;
  const given = isObject(value as Json) ? (value as JsonObject)['Statement'] : undefined;
  if (given === undefined) throw new TypeError('a policy document needs a Statement');
  return (Array.isArray(given) ? given : [given]).map(statementOf);
}

function statementOf(value: Json): Statement {
  if (!isObject(value)) throw new TypeError('a Statement is no object');
  const unknown = Object.keys(value).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw new TypeError(`a Statement has no element ${unknown}`);
  const effect = value['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny')
    throw new TypeError(`Effect is neither Allow nor Deny: ${String(effect)}`);
  return {
    sid: value['Sid'] === undefined ? undefined : String(value['Sid']),
    effect,
    ...oneOf(value, { Action: 'actions', NotAction: 'notActions' }),
    ...oneOf(value, { Resource: 'resources', NotResource: 'notResources' }),
    conditions: conditionsOf(value['Condition']),
  };
}

function oneOf(statement: JsonObject, names: Readonly<Record<string, string>>): Record<string, string[]> {
  const present = Object.keys(names).filter((name) => statement[name] !== undefined);
  const [name] = present;
  if (name === undefined || present.length > 1)
    throw new TypeError(`a Statement needs exactly one of ${Object.keys(names).join(' and ')}`);
  const value = statement[name];
  return { [String(names[name])]: (Array.isArray(value) ? value : [value]).map(String) };
}
