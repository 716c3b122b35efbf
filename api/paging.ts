import type { Config } from '../core/config.ts';
import { InvalidInput } from '../core/errors.ts';

/** `limit` of a list request: the default when absent, clamped to the largest page. @throws InvalidInput */
export function pageLimit(
  query: URLSearchParams,
  config: Pick<Config, 'limit_param_default' | 'api_limit_max'>,
): number {
  const text = query.get('limit');
  if (text === null) return Math.min(config.limit_param_default, config.api_limit_max);
  if (!/^\d+$/.test(text)) throw new InvalidInput(`limit param must be an integer of 0 or more, not '${text}'`);
  return Math.min(Number(text), config.api_limit_max);
}
