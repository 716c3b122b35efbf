/** Images for people: rows of a list, lines of one. */
import type { ImageAnswer } from '../../api/images/answers.ts';
import { humanBytes, shortBytes } from '../human.ts';

/** What a list shows of an image. */
export const IMAGE_COLUMNS = ['ID', 'NAME', 'STATUS', 'SIZE', 'FORMAT', 'VISIBILITY'] as const;

export function imageRow({ id, name, status, size, disk_format, visibility }: ImageAnswer): string[] {
  return [id, name ?? '', status, size === null ? '' : shortBytes(size), disk_format ?? '', visibility];
}

/** Attributes of bytes, which people read with a unit. */
const SIZES: ReadonlySet<string> = new Set(['size', 'virtual_size']);
/** Paths of the API, which say what the id says. */
const LEFT_OUT: ReadonlySet<string> = new Set(['self', 'file', 'schema']);

/** Every attribute that is set, one a line; the id first, then by name. */
export function imageLines(image: ImageAnswer): string[] {
  const { id, name, ...others } = image;
  const rest = Object.entries(others)
    .filter(([key, value]) => value !== null && value !== '' && !LEFT_OUT.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const entries: [string, unknown][] = [['id', id], ['name', name], ...rest];
  const width = Math.max(...entries.map(([key]) => key.length));
  return entries.map(([key, value]) => `${key.padEnd(width)}  ${valueText(key, value)}`);
}

function valueText(key: string, value: unknown): string {
  if (SIZES.has(key) && typeof value === 'number') return humanBytes(value);
  if (Array.isArray(value))
    return value.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
