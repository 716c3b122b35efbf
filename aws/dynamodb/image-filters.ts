import type { Filter, FilterAttribute } from '../../core/images/query.ts';
import type { Expression } from './expression.ts';
import { COLUMNS } from './image-item.ts';

/** DynamoDB takes this many operands of IN. */
const IN_OPERANDS = 100;
/** Values in one expression: it has at most 4 KiB, and a condition takes about 20 bytes for each. What is left out core looks at. */
const MOST_VALUES = 150;
const OPERATORS = { gt: '>', gte: '>=', lt: '<', lte: '<=', neq: '<>' } as const;

/**
 * Filters as a FilterExpression, so that rows nobody wants stay in the table. Times are left out: they compare as whole
 * seconds, which core/images/query.ts does on what comes back.
 */
export function filterExpression(filters: readonly Filter[], expression: Expression): string | undefined {
  let values = 0;
  const pushed = filters.filter((filter) => {
    const count = filter.kind === 'equal' ? filter.values.length : 1;
    if (values + count > MOST_VALUES) return false;
    values += count;
    return true;
  });
  const parts = pushed.map((filter) => condition(filter, expression)).filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(' AND ');
}

function condition(filter: Filter, expression: Expression): string | undefined {
  if (filter.kind === 'tag') return `contains(${expression.path('tags')}, ${expression.value(filter.tag)})`;
  if (filter.kind === 'property')
    return `${expression.path('properties', filter.key)} = ${expression.value(filter.value)}`;
  const column = columnOf(filter.attribute);
  if (column === undefined) return undefined;
  if (filter.kind === 'compare')
    return `${expression.path(column)} ${OPERATORS[filter.operator]} ${expression.value(filter.value)}`;
  if (filter.values.length === 0 || filter.values.length > IN_OPERANDS) return undefined;
  const values = filter.values.map((value) => expression.value(value));
  return values.length === 1
    ? `${expression.path(column)} = ${values[0]}`
    : `${expression.path(column)} IN (${values.join(', ')})`;
}

function columnOf(attribute: FilterAttribute): string | undefined {
  if (attribute === 'createdAt' || attribute === 'updatedAt') return undefined;
  if (attribute === 'id' || attribute === 'revision') return attribute;
  return COLUMNS[attribute];
}
