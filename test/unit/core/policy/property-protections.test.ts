import { describe, expect, it } from 'vitest';
import { createPolicy } from '../../../../core/policy/policy.ts';
import { PolicyError, parsePolicyFile } from '../../../../core/policy/policy-file.ts';
import { type ProtectionFormat, parsePropertyProtections } from '../../../../core/policy/property-protections.ts';
import { callerWith } from '../../../support/caller.ts';

const policy = createPolicy({ overrides: parsePolicyFile('billing: role:billing', 'policy.yaml') });
const parse = (text: string, format: ProtectionFormat = 'roles') =>
  parsePropertyProtections(text, format, policy, 'protections.conf');
const section = (name: string, create: string, read = create, update = create, remove = create) =>
  `[${name}]\ncreate = ${create}\nread = ${read}\nupdate = ${update}\ndelete = ${remove}\n`;

const member = callerWith();
const billing = callerWith({ roles: ['billing'] });

describe('roles format', () => {
  const text = `# order matters\n${section('^x_owner_.*', 'admin,Billing', 'admin, billing,\n  member', 'admin', '')}${section('secret', '!')}${section('.*', '@')}`;
  const protections = parse(text);

  it.each([
    ['mayCreate', 'x_owner_a', false, true],
    ['mayRead', 'x_owner_a', true, true],
    ['mayUpdate', 'x_owner_a', false, false],
    ['mayDelete', 'x_owner_a', false, false],
    ['mayRead', 'my_secret_key', false, false],
    ['mayCreate', 'X_OWNER_a', true, true],
    ['mayCreate', 'other', true, true],
    ['mayUpdate', 'os_glance_secret', true, true],
  ] as const)('%s %s: member %s, billing %s', (operation, property, asMember, asBilling) => {
    expect(protections[operation](property, member)).toBe(asMember);
    expect(protections[operation](property, billing)).toBe(asBilling);
  });

  it('counts service roles', () => {
    expect(protections.mayCreate('x_owner_a', callerWith({ serviceRoles: ['billing'] }))).toBe(true);
  });

  it('denies what no section matches', () => {
    expect(parse(section('^a$', '@')).mayRead('b', member)).toBe(false);
  });
});

describe('policies format', () => {
  const protections = parse(section('.*', 'rule_is_missing').replaceAll('rule_is_missing', 'billing'), 'policies');

  it('asks the rule with an empty target', async () => {
    expect(await protections.mayCreate('a', billing)).toBe(true);
    expect(await protections.mayCreate('a', member)).toBe(false);
  });
});

it.each([
  [section('(', '@'), 'roles', 'is not a regular expression'],
  ['[a]\ncreate = @\nread = @\nupdate = @\n', 'roles', 'protections.conf:1: section [a]: "delete" is missing'],
  [section('a', '@,!'), 'roles', 'exclude each other'],
  [section('a', 'x,y'), 'policies', 'exactly one rule'],
  [section('a', 'unknown'), 'policies', 'there is no policy rule "unknown"'],
  ['create = @', 'roles', 'protections.conf:1: a section'],
  ['[a]\nnonsense', 'roles', 'protections.conf:2: a section'],
  [section('a', '@') + section('a', '@'), 'roles', 'is there twice'],
] as const)('refuses %j as %s', (text, format, message) => {
  const refuse = () => parse(text, format);

  expect(refuse).toThrow(PolicyError);
  expect(refuse).toThrow(message);
});
