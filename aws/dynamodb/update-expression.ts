/** Parts of an UpdateItem call, named so that no attribute can meet a reserved word. */
export interface UpdateParts {
  readonly UpdateExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: Record<string, unknown>;
}

/**
 * SET and REMOVE by attribute path (`facts.source` is a path of two names). Undefined values are left out.
 * An update that sets nothing is a mistake of the caller, so it throws.
 */
export function setting(set: Readonly<Record<string, unknown>>, remove: readonly string[] = []): UpdateParts {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const path = (attribute: string): string =>
    attribute
      .split('.')
      .map((step) => {
        const alias = `#${step.replaceAll(/\W/g, '_')}`;
        names[alias] = step;
        return alias;
      })
      .join('.');
  const sets = Object.entries(set)
    .filter(([, value]) => value !== undefined)
    .map(([attribute, value], n) => {
      values[`:set${n}`] = value;
      return `${path(attribute)} = :set${n}`;
    });
  if (sets.length === 0) throw new TypeError('an update must set something');
  const removed = remove.length === 0 ? '' : ` REMOVE ${remove.map(path).join(', ')}`;
  return {
    UpdateExpression: `SET ${sets.join(', ')}${removed}`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
