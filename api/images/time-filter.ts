import { InvalidInput } from '../../core/errors.ts';
import type { Filter } from '../../core/images/query.ts';

const OPERATORS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * `op:timestamp` or a plain timestamp; compared as whole seconds in UTC, `YYYY-MM-DDTHH:MM:SS`.
 * @throws InvalidInput for another operator or what is no time
 */
export function parseTimeFilter(attribute: 'createdAt' | 'updatedAt', key: string, text: string): Filter {
  const [, named, rest] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  const operator = OPERATORS.find((known) => known === (named ?? 'eq'));
  if (operator === undefined)
    throw new InvalidInput(`Unable to filter by unknown operator '${named}' in ${key}=${text}`);
  const value = secondsOf(key, rest ?? text);
  if (operator === 'eq') return { kind: 'equal', attribute, values: [value] };
  return { kind: 'compare', attribute, operator, value };
}

function secondsOf(key: string, text: string): string {
  const zoned = /T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : text.includes('T') ? `${text}Z` : `${text}T00:00:00Z`;
  const time = ISO_8601.test(text) ? Date.parse(zoned.replace(/([+-]\d{2})(\d{2})$/, '$1:$2')) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidInput(`Invalid ${key} value: '${text}' is not an ISO 8601 time`);
  return new Date(time).toISOString().slice(0, 19);
}
