import { InvalidInput } from '../../core/errors.ts';
import type { Filter } from '../../core/images/query.ts';

const OPERATORS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;
/** Extended or basic form, `T` or a blank between date and time, as the original's parser takes them. */
const ISO_8601 =
  /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?(Z|([+-])(\d{2}):?(\d{2}))?)?$/;

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
  const time = timeOf(text);
  if (time === undefined) throw new InvalidInput(`Invalid ${key} value: '${text}' is not an ISO 8601 time`);
  return time;
}

/** In UTC; undefined for what is no time, such as 30 February. */
function timeOf(text: string): string | undefined {
  const found = ISO_8601.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', , sign, zoneHour = '00', zoneMinute = '00'] =
    found;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const time = Date.parse(`${written}Z`);
  // A date that does not exist is read as a later one.
  if (Number.isNaN(time) || shown(time) !== written) return undefined;
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  const utc = shown(sign === '-' ? time + offset : time - offset);
  return /^(?!0000)\d{4}-/.test(utc) ? utc : undefined;
}

const shown = (time: number): string => new Date(time).toISOString().slice(0, 19);
