/** One line for each value that is not the same. */
export function differences(expected: unknown, found: unknown, path = ''): string[] {
  if (typeof expected === 'object' && typeof found === 'object' && expected !== null && found !== null) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
    const of = (value: object, key: string): unknown => (value as Record<string, unknown>)[key];
    return keys.flatMap((key) => differences(of(expected, key), of(found, key), `${path}.${key}`));
  }
  return Object.is(expected, found) ? [] : [`${path} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`];
}
