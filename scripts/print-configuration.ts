/** `npm run docs:configuration`: the reference of all settings, printed from the schema in core/config.ts. */
import { z } from 'zod';
import { Config } from '../core/config.ts';
import { code, markdownTable, type PrintedSection, printSections } from './printed-section.ts';
import { LOCAL_DEFAULTS } from './settings.ts';

/** What we read of JSON Schema (draft 2020-12), as zod writes it. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const PAGE = 'docs/operations/configuration.md';

/** The printed sections of the configuration page. */
export function configurationSections(): PrintedSection[] {
  const schema = z.toJSONSchema(Config, { io: 'input' }) as Schema;
  return [
    { page: PAGE, name: 'settings', text: settings(schema) },
    { page: PAGE, name: 'local defaults', text: localDefaults() },
  ];
}

/** Plain settings first, then a section for each group and for the members of each list of objects. */
function settings(schema: Schema): string {
  const entries = Object.entries(schema.properties ?? {});
  const groups = entries.flatMap(([key, value]) => groupOf(key, value));
  const plain = entries.filter(([, { type }]) => type !== 'object');
  return ['### Top level', settingsTable(plain, schema.required), ...groups].join('\n\n');
}

function groupOf(key: string, schema: Schema): string[] {
  const members = schema.type === 'array' ? schema.items : schema;
  if (members?.properties === undefined) return [];
  const title = schema.type === 'array' ? `### ${code(key)}, each entry` : `### ${code(key)}`;
  const words = schema.type === 'array' || schema.description === undefined ? [] : [schema.description];
  return [title, ...words, settingsTable(Object.entries(members.properties), members.required)];
}

function settingsTable(entries: readonly (readonly [string, Schema])[], required: readonly string[] = []): string {
  const rows = entries.map(([key, schema]) => [
    code(key),
    typeOf(schema),
    required.includes(key) ? '**required**' : defaultOf(schema),
    schema.description ?? '',
  ]);
  return markdownTable(['Key', 'Value', 'Default', 'Meaning'], rows);
}

function typeOf(schema: Schema): string {
  if (schema.type === 'array') return schema.items?.type === 'object' ? 'list of objects' : listOf(schema.items ?? {});
  if (schema.type === 'object') return 'object of strings';
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.format === 'uri') return 'URL';
  if (schema.pattern !== undefined) return `string, ${code(schema.pattern)}`;
  return `${schema.type ?? 'any'}${boundsOf(schema)}`;
}

function listOf(items: Schema): string {
  return items.enum === undefined ? `list of ${items.type ?? 'value'}s` : `list of ${typeOf(items)}`;
}

/** Bounds that say something: zod gives every integer those of a safe one. */
function boundsOf({ minimum, maximum, exclusiveMinimum }: Schema): string {
  const least = exclusiveMinimum === undefined ? minimum : exclusiveMinimum + 1;
  const from = least === undefined || least === Number.MIN_SAFE_INTEGER ? '' : ` from ${least}`;
  const to = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : ` up to ${maximum}`;
  return `${from}${to}`;
}

function defaultOf(schema: Schema): string {
  return schema.default === undefined ? '' : code(JSON.stringify(schema.default));
}

function localDefaults(): string {
  const rows = Object.entries(LOCAL_DEFAULTS).map(([key, value]) => [code(key), code(JSON.stringify(value))]);
  return markdownTable(['Key', 'Value under `npm start`'], rows);
}

if (import.meta.main) await printSections(configurationSections());
