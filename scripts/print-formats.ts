/**
 * `npm run docs:formats`: what the service's rules know of formats, printed from formats/catalog.ts and formats/writers.ts into
 * core/formats.ts. The rules may not import the engine, and the schema of the configuration is read where no engine is (infra/,
 * the documentation); a printed file keeps one truth, names that the compiler checks, and no parameter that is always the same.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FORMATS } from '../formats/catalog.ts';
import { TARGETS, WRITERS } from '../formats/writers.ts';

/** The printed file. */
export const FORMATS_FILE = join(import.meta.dirname, '../core/formats.ts');

/** Its text. */
export function formatsText(): string {
  const extensions = FORMATS.flatMap(({ glance, extensions: own = [] }) => {
    const name = glance !== undefined && 'disk' in glance ? glance.disk : undefined;
    return name === undefined ? [] : own.map((extension) => [extension, name] as const);
  });
  const containers = FORMATS.flatMap(({ glance }) =>
    glance !== undefined && 'container' in glance ? [glance.container] : [],
  );
  const compressions = new Set(WRITERS.flatMap((writer) => writer.compressions));
  const properties = WRITERS.filter((writer) => Object.keys(writer.properties).length > 0).map(
    ({ format, properties: own }) => [format, own] as const,
  );
  return [
    "/** Printed from the formats' traits and writers (formats/) by `npm run docs:formats`; not to be edited. */\n",
    '/** Formats that an import stores as they are, whatever the configuration says. */',
    `export const KEPT_FORMATS: readonly string[] = ${list(FORMATS.filter(({ kept }) => kept === true).map(({ format }) => format))};\n`,
    '/** Containers that are formats of their own: their content is looked at. */',
    `export const CONTAINER_FORMATS: readonly string[] = ${list(containers)};\n`,
    '/** Extensions of dropped files, and the disk format they mean. */',
    `export const FORMAT_OF_EXTENSION: Readonly<Record<string, string>> = ${table(extensions, quoted)};\n`,
    '/** What a conversion can make. */',
    `export const CONVERSION_TARGETS = ${list(TARGETS)} as const;\n`,
    '/** Compressions that some target offers. */',
    `export const COMPRESSIONS = ${list([...compressions])} as const;\n`,
    '/** Forms of the targets that are written in several. */',
    `export const SUBFORMATS = ${list(WRITERS.flatMap(({ subformat }) => subformat ?? []))} as const;\n`,
    '/** Properties that say how a target was written, by format. */',
    `export const TARGET_PROPERTIES: Readonly<Record<string, Readonly<Record<string, string>>>> = ${table(properties, (own) => `{ ${Object.entries(own).map(([name, value]) => `${name}: ${quoted(value)}`)} }`)};`,
    '',
  ].join('\n');
}

const quoted = (text: string): string => `'${text}'`;
const list = (names: readonly string[]): string => `[${names.map(quoted).join(', ')}]`;
const table = <T>(rows: readonly (readonly [string, T])[], value: (of: T) => string): string =>
  `{\n${rows.map(([name, of]) => `  ${name}: ${value(of)},\n`).join('')}}`;

if (import.meta.main) {
  const before = await readFile(FORMATS_FILE, 'utf8').catch(() => '');
  if (before !== formatsText()) await writeFile(FORMATS_FILE, formatsText());
}
