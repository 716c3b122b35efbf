import type { Caller } from '../identity/caller.ts';
import type { Policy } from './policy.ts';
import { PolicyError } from './policy-file.ts';
import type { PropertyProtections } from './port.ts';

/** `property_protection_rule_format` */
export type ProtectionFormat = 'roles' | 'policies';

const OPERATIONS = ['create', 'read', 'update', 'delete'] as const;
type Operation = (typeof OPERATIONS)[number];
/** Everybody, nobody, some roles, or those for whom a policy rule holds. */
type Grantees = 'all' | 'none' | { readonly roles: ReadonlySet<string> } | { readonly rule: string };

interface Section {
  readonly pattern: RegExp;
  readonly grants: Readonly<Record<Operation, Grantees>>;
}

/** Properties of the service itself are outside the file: a section of the user's for them is never reached. */
const OWN_PREFIX = 'os_glance';

/**
 * Reads a property protection file: sections `[regular expression]` in order, the first that is found in the property's name
 * decides, a property without one is denied (contract: policy.md section 4).
 * @param policy answers the rules of format `policies`, with an empty target.
 * @param file its name, for messages.
 * @throws PolicyError naming line and section.
 */
export function parsePropertyProtections(
  text: string,
  format: ProtectionFormat,
  policy: Policy,
  file: string,
): PropertyProtections {
  const sections = sectionsOf(text, file).map(({ name, line, values }) => ({
    pattern: patternOf(name, `${file}:${line}`),
    grants: grantsOf(values, format, `${file}:${line}: section [${name}]`),
  }));
  refuseUnknownRules(sections, policy, file);

  const may = (operation: Operation) => (property: string, caller: Caller) => {
    if (property.startsWith(OWN_PREFIX)) return true;
    const section = sections.find(({ pattern }: Section) => pattern.test(property));
    return section !== undefined && isGranted(section.grants[operation], caller, policy);
  };
  return { mayCreate: may('create'), mayRead: may('read'), mayUpdate: may('update'), mayDelete: may('delete') };
}

/** An unknown rule would fall to the default rule, which lets everybody pass. */
function refuseUnknownRules(sections: readonly Section[], policy: Policy, file: string): void {
  const rules = sections
    .flatMap(({ grants }) => Object.values(grants))
    .filter((one) => typeof one === 'object' && 'rule' in one);
  const unknown = rules.find(({ rule }) => !policy.has(rule));
  if (unknown) throw new PolicyError(`${file}: there is no policy rule "${unknown.rule}"`);
}

function isGranted(grantees: Grantees, caller: Caller, policy: Policy): boolean | Promise<boolean> {
  if (grantees === 'all') return true;
  if (grantees === 'none') return false;
  // The rule may have left its file meanwhile, and must not fall to the default rule.
  if ('rule' in grantees) return policy.has(grantees.rule) && policy.allows(grantees.rule, {}, caller);
  return [...caller.roles, ...caller.serviceRoles].some((role) => grantees.roles.has(role));
}

interface RawSection {
  readonly name: string;
  readonly line: number;
  readonly values: Map<string, string>;
}

/** The INI subset of the format: sections, `key = value` or `key: value`, comments; an indented line goes on with the value above. */
function sectionsOf(text: string, file: string): RawSection[] {
  const sections: RawSection[] = [];
  let key: string | undefined;
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || /^[#;]/.test(line)) continue;
    const section = sections.at(-1);
    const header = /^\[(.+)\]$/.exec(line)?.[1];
    if (/^\s/.test(raw) && section && key !== undefined) {
      section.values.set(key, `${section.values.get(key)} ${line}`);
    } else if (header !== undefined) {
      key = undefined;
      sections.push({ name: header, line: at + 1, values: new Map() });
    } else key = readPair(section, line, `${file}:${at + 1}`);
  }
  const names = sections.map(({ name }) => name);
  const twice = sections.find(({ name }, at) => names.indexOf(name) !== at);
  if (twice) throw new PolicyError(`${file}:${twice.line}: section [${twice.name}] is there twice`);
  return sections;
}

/** Returns the key that was set. */
function readPair(section: RawSection | undefined, line: string, place: string): string {
  const [, key, value] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
  if (section === undefined || key === undefined || value === undefined)
    throw new PolicyError(`${place}: a section "[…]" or "operation = …" is expected`);
  section.values.set(key.toLowerCase(), value);
  return key.toLowerCase();
}

function patternOf(name: string, place: string): RegExp {
  try {
    return new RegExp(name);
  } catch (error) {
    throw new PolicyError(`${place}: [${name}] is not a regular expression`, { cause: error });
  }
}

function grantsOf(values: ReadonlyMap<string, string>, format: ProtectionFormat, place: string): Section['grants'] {
  const grants = OPERATIONS.map((operation) => {
    const value = values.get(operation);
    if (value === undefined)
      throw new PolicyError(`${place}: "${operation}" is missing; all of ${OPERATIONS.join(', ')} are needed`);
    return [operation, granteesOf(value, format, `${place}: ${operation}`)] as const;
  });
  return Object.fromEntries(grants) as Section['grants'];
}

function granteesOf(value: string, format: ProtectionFormat, place: string): Grantees {
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const [only] = names;
  if (only === undefined) return 'none';
  if (names.includes('@') && names.includes('!')) throw new PolicyError(`${place}: "@" and "!" exclude each other`);
  if (format === 'policies' && names.length > 1)
    throw new PolicyError(`${place}: exactly one rule is allowed, not "${value}"`);
  if (names.includes('@')) return 'all';
  if (names.includes('!')) return 'none';
  return format === 'policies' ? { rule: only } : { roles: new Set(names.map((name) => name.toLowerCase())) };
}
