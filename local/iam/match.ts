const known = new Map<string, RegExp>();

/** True when `text` fits a pattern in which `*` stands for any characters and `?` for one. */
export function fits(pattern: string, text: string, flags: '' | 'i' = ''): boolean {
  const id = `${flags}/${pattern}`;
  const expression = known.get(id) ?? new RegExp(`^${escaped(pattern)}$`, `s${flags}`);
  known.set(id, expression);
  return expression.test(text);
}

const escaped = (pattern: string): string =>
  pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');

/** `arn`, partition, service, region, account, and all the rest. */
const ARN_PARTS = 6;

function partsOf(arn: string): string[] {
  const parts = arn.split(':');
  return [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(':')];
}

/** True when an ARN fits a pattern: its six parts one by one, so that no wildcard reaches over a colon before the last. */
export function fitsArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const wanted = partsOf(pattern);
  const given = partsOf(arn);
  return wanted.length === given.length && wanted.every((part, n) => fits(part, given[n] ?? ''));
}
