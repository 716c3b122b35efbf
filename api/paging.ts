import type { Config } from '../core/config.ts';
import { InvalidInput } from '../core/errors.ts';

/**
 * A parameter that has one value; null when it is absent. Given again it must say the same.
 * @throws InvalidInput naming the parameter
 */
export function onlyValue(query: URLSearchParams, key: string): string | null {
  const [value, ...others] = new Set(query.getAll(key));
  if (others.length > 0) throw new InvalidInput(`${key} is given more than once, with different values`);
  return value ?? null;
}

/** A parameter with one of the values that there are; undefined when it is absent. @throws InvalidInput naming them */
export function oneOf<T extends string>(query: URLSearchParams, key: string, allowed: readonly T[]): T | undefined {
  const given = onlyValue(query, key);
  if (given === null) return undefined;
  const found = allowed.find((value) => value === given);
  if (found === undefined) throw new InvalidInput(`Invalid ${key} value: ${given}; allowed: ${allowed.join(', ')}`);
  return found;
}

/** `limit` of a list request: the default when absent, clamped to the largest page. @throws InvalidInput */
export function pageLimit(
  query: URLSearchParams,
  config: Pick<Config, 'limit_param_default' | 'api_limit_max'>,
): number {
  const text = onlyValue(query, 'limit');
  if (text === null) return Math.min(config.limit_param_default, config.api_limit_max);
  if (!/^\d+$/.test(text)) throw new InvalidInput(`limit param must be an integer of 0 or more, not '${text}'`);
  return Math.min(Number(text), config.api_limit_max);
}
