import { InvalidInput } from '../../core/errors.ts';
import { FILTER_VALUES, refuseMore } from '../../core/request-limits.ts';

/**
 * Values of an `in:` filter: separated by commas, in double quotes when they hold a comma or white space, `\"` for a quote
 * inside (contract: README.md "Filters of GET /v2/images").
 * @throws LimitExceeded for too many; InvalidInput for a quote that is not closed or a comma that is missing
 */
export function splitValues(key: string, text: string): readonly string[] {
  const values: string[] = [];
  const item = /(?:"((?:[^"\\]|\\.)*)"|([^",]*))(,|$)/sy;
  while (item.lastIndex <= text.length) {
    const at = item.lastIndex;
    const match = item.exec(text);
    if (match === null) throw new InvalidInput(`Invalid filter value ${key}=in:${text}: quotes or commas do not match`);
    const [, quoted, plain, end] = match;
    refuseMore(`values of ${key}=in:`, values.length + 1, FILTER_VALUES);
    values.push(quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('\\"', '"'));
    if (end === '' || item.lastIndex === at) break;
  }
  return values;
}
