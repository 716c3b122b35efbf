import { describe, expect, it, vi } from 'vitest';
import { BackendUnavailable } from '../../../../core/errors.ts';
import { RULES } from '../../../../core/policy/defaults.ts';
import { createPolicy } from '../../../../core/policy/policy.ts';
import { PolicyError, parsePolicyFile } from '../../../../core/policy/policy-file.ts';
import { callerWith } from '../../../support/caller.ts';

const ROLES = {
  admin: ['admin', 'manager', 'member', 'reader'],
  member: ['member', 'reader'],
  reader: ['reader'],
  service: ['service'],
} as const;
const as = (role: keyof typeof ROLES, different = {}) => callerWith({ roles: ROLES[role], ...different });

/** An image as the target of a rule. */
const image = (owner: string | null, visibility: string, memberId: string | null = null) => ({
  owner,
  project_id: owner,
  visibility,
  member_id: memberId,
});
const own = image('p1', 'private');
const others = image('p2', 'private');
const file = (rules: Record<string, unknown>) => parsePolicyFile(JSON.stringify(rules), 'policy.json');

describe('defaults', () => {
  const policy = createPolicy();

  it.each([
    ['get_image', own, { admin: true, member: true, reader: true, service: false }],
    ['get_image', others, { admin: true, member: false, reader: false, service: false }],
    ['get_image', image('p2', 'public'), { admin: true, member: true, reader: true, service: false }],
    ['get_image', image('p2', 'community'), { admin: true, member: true, reader: true, service: false }],
    ['get_image', image('p2', 'private', 'p1'), { admin: true, member: true, reader: true, service: false }],
    ['download_image', own, { admin: true, member: true, reader: false, service: false }],
    ['download_image', image('p2', 'public'), { admin: true, member: true, reader: false, service: false }],
    ['modify_image', own, { admin: true, member: true, reader: false, service: false }],
    ['modify_image', others, { admin: true, member: false, reader: false, service: false }],
    ['add_image', own, { admin: true, member: true, reader: false, service: false }],
    ['add_image', others, { admin: true, member: false, reader: false, service: false }],
    ['publicize_image', own, { admin: true, member: false, reader: false, service: false }],
    ['get_member', image('p2', 'shared', 'p1'), { admin: true, member: true, reader: true, service: false }],
    ['modify_member', image('p2', 'shared', 'p1'), { admin: true, member: true, reader: false, service: false }],
    ['fetch_image_location', own, { admin: true, member: false, reader: false, service: true }],
    ['stores_info_detail', {}, { admin: true, member: false, reader: false, service: true }],
    ['tasks_api_access', {}, { admin: true, member: false, reader: false, service: false }],
    ['get_metadef_namespace', others, { admin: true, member: false, reader: false, service: false }],
    ['get_metadef_namespace', image('p2', 'public'), { admin: true, member: true, reader: true, service: false }],
    ['delete_metadef_tags', own, { admin: true, member: false, reader: false, service: false }],
  ] as const)('%s on %j', async (rule, target, expected) => {
    for (const role of Object.keys(ROLES) as (keyof typeof ROLES)[])
      expect(await policy.allows(rule, target, as(role)), role).toBe(expected[role]);
  });

  it('lets a token without a project match an image without an owner', async () => {
    expect(await policy.allows('modify_image', image(null, 'private'), as('member', { projectId: null }))).toBe(true);
    expect(await policy.allows('modify_image', image(null, 'private'), as('member'))).toBe(false);
  });

  it('refuses every rule of scope project to tokens of the system or a domain, and answers the base rules', async () => {
    const scopes = [
      { systemScope: 'all', projectId: null },
      { domainId: 'default', projectId: null },
    ];
    for (const scope of scopes)
      for (const [rule, definition] of Object.entries(RULES))
        if ('scope' in definition) expect(await policy.allows(rule, own, as('admin', scope))).toBe(false);

    expect(await policy.allows('context_is_admin', {}, as('admin', scopes[0]))).toBe(true);
  });

  it('lets an unknown rule fall to the default rule', async () => {
    expect(await policy.allows('no_such_rule', {}, as('reader'))).toBe(true);
    expect(await createPolicy({ defaultRule: 'missing' }).allows('no_such_rule', {}, as('admin'))).toBe(false);
  });
});

describe('enforce_new_defaults off', () => {
  const policy = createPolicy({ newDefaults: false });

  it.each([
    ['add_image', own, true],
    ['modify_image', own, true],
    ['modify_image', others, false],
    ['delete_image', image('p2', 'public'), false],
    ['get_images', {}, true],
    ['publicize_image', own, false],
  ] as const)('a reader: %s on %j is %s', async (rule, target, expected) => {
    expect(await policy.allows(rule, target, as('reader'))).toBe(expected);
  });

  it('keeps "admin or owner" under an override that says less', async () => {
    const open = createPolicy({ newDefaults: false, overrides: file({ modify_image: '' }) });

    expect(await open.allows('modify_image', others, as('member'))).toBe(false);
    expect(await open.allows('modify_image', others, as('admin'))).toBe(true);
  });
});

describe('overrides', () => {
  it('replaces rules, with helpers and the list form', async () => {
    const overrides = parsePolicyFile(
      "# who may publish\npublicize_image: rule:publisher or rule:context_is_admin\npublisher: role:publisher\nadd_image: [['role:a', 'role:b'], '!']\n",
      'policy.yaml',
    );
    const policy = createPolicy({ overrides });

    expect(await policy.allows('publicize_image', own, callerWith({ roles: ['publisher'] }))).toBe(true);
    expect(await policy.allows('publicize_image', own, as('member'))).toBe(false);
    expect(await policy.allows('add_image', own, callerWith({ roles: ['a', 'b'] }))).toBe(true);
    expect(await policy.allows('add_image', own, callerWith({ roles: ['a'] }))).toBe(false);
    expect(policy.unused).toEqual([]);
  });

  it('takes the rule names of an old release, where metadefs are open to everybody', async () => {
    const names = Object.keys(RULES).filter((name) => name.includes('metadef_') && name !== 'metadef_default');
    const policy = createPolicy({
      overrides: file({
        metadef_default: '',
        ...Object.fromEntries(names.map((name) => [name, 'rule:metadef_default'])),
      }),
    });

    expect(await policy.allows('add_metadef_namespace', {}, as('reader'))).toBe(true);
  });

  it('an empty file changes nothing', () => {
    expect(parsePolicyFile('# nothing\n', 'policy.yaml').size).toBe(0);
  });

  it('names rules that nothing uses', () => {
    expect(createPolicy({ overrides: file({ publicise_image: '@' }) }).unused).toEqual(['publicise_image']);
  });

  it.each([
    ['add_image: "role:a and"', 'policy.yaml: rule "add_image", position 10: the rule ends where a check is expected'],
    ['add_image: 7', 'policy.yaml: rule "add_image": a text or a list is expected'],
    ['- a', 'policy.yaml: a map from rule names to rules is expected'],
    ['a: "x', /^policy\.yaml:1:\d+: /],
    ['a: "@"\na: "!"', /^policy\.yaml:2:1: /],
  ])('refuses the file %j', (text, message) => {
    const parse = () => parsePolicyFile(text, 'policy.yaml');

    expect(parse).toThrow(PolicyError);
    expect(parse).toThrow(message);
  });

  it.each([
    [{ a: 'rule:b', b: 'not rule:a' }, 'in a circle: a → b → a'],
    [{ context_is_admin: 'rule:metadef_admin' }, 'in a circle'],
    [{ add_image: 'rule:no_such' }, 'rule "add_image" refers to "rule:no_such", which does not exist'],
  ])('refuses %j', (rules, message) => {
    expect(() => createPolicy({ overrides: file(rules) })).toThrow(message);
  });
});

describe('remote checks', () => {
  it('asks with target and credentials, and only when the verdict hangs on it', async () => {
    const remote = vi.fn(async () => true);
    const policy = createPolicy({
      overrides: file({ add_image: 'role:admin or http://h/%(owner)s and not role:z' }),
      remote,
    });

    expect(await policy.allows('add_image', own, as('admin'))).toBe(true);
    expect(remote).not.toHaveBeenCalled();
    expect(await policy.allows('add_image', own, as('member'))).toBe(true);
    expect(remote).toHaveBeenCalledWith('http://h/p1', {
      rule: 'add_image',
      target: own,
      credentials: expect.objectContaining({ user_id: 'u1', project_id: 'p1', roles: ['member', 'reader'] }),
    });
    remote.mockResolvedValue(false);
    expect(await policy.allows('add_image', own, as('member'))).toBe(false);
  });

  it('fails when nobody answers', async () => {
    const policy = createPolicy({ overrides: file({ add_image: 'http://h/' }) });

    await expect(policy.allows('add_image', own, as('member'))).rejects.toThrow(BackendUnavailable);
  });
});
