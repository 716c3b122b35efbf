/** Policy and property protections follow their files: a change counts within seconds, a broken one does not. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../core/config.ts';
import { loadPolicy, loadProtections } from '../../../files/policy-files.ts';
import { callerWith } from '../../support/caller.ts';

let dir: string;
let nowMs: number;
let lines: string[];
const clock = { now: () => nowMs };
const log = {
  info: (message: string) => void lines.push(`info ${message}`),
  warn: (message: string) => void lines.push(`warn ${message}`),
  error: (message: string, facts?: object) => void lines.push(`error ${message}: ${JSON.stringify(facts)}`),
};
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-policy-'));
  nowMs = 1_000_000;
  lines = [];
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const at = (name: string) => join(dir, name);
const write = (name: string, text: string) => writeFile(at(name), text);
const config = (keys: object) => parseConfig({ stores: [{ id: 'central', bucket: 'central' }], ...keys });
const later = () => {
  nowMs += 5_000;
};

describe('policy_file', () => {
  const open = () => loadPolicy(config({ policy_file: at('policy.yaml') }), log, clock);
  const publicizes = (policy: ReturnType<typeof open>) => policy.allows('publicize_image', {}, callerWith());

  it('that changes is read again at the first use after five seconds', async () => {
    await write('policy.yaml', 'publicize_image: role:member');
    const policy = open();
    expect(await publicizes(policy)).toBe(true);

    await write('policy.yaml', 'publicize_image: role:nobody');
    nowMs += 4_999;
    expect(await publicizes(policy)).toBe(true);
    nowMs += 1;

    expect(await publicizes(policy)).toBe(false);
    expect(lines).toEqual(['info changed files are in force']);
  });

  it('that is replaced by another of the same size and time is read again', async () => {
    await write('policy.yaml', 'publicize_image: "@"');
    const policy = open();
    await write('new.yaml', 'publicize_image: "!"');
    await rename(at('new.yaml'), at('policy.yaml'));
    later();

    expect(await publicizes(policy)).toBe(false);
  });

  it.each([
    ['is no YAML any more', () => write('policy.yaml', 'publicize_image: [')],
    ['names a rule that does not exist', () => write('policy.yaml', 'publicize_image: rule:nothing')],
    ['is removed', () => rm(at('policy.yaml'))],
  ])('that %s leaves the old rules, and one line in the log', async (_, spoil) => {
    await write('policy.yaml', 'publicize_image: role:member');
    const policy = open();
    await spoil();
    later();

    expect(await publicizes(policy)).toBe(true);
    later();
    expect(await publicizes(policy)).toBe(true);
    expect(lines).toEqual([expect.stringMatching(/^error changed files cannot be used.*policy\.yaml/)]);

    await write('policy.yaml', 'publicize_image: role:nobody');
    later();
    expect(await publicizes(policy)).toBe(false);
  });

  it('that cannot be used at the start stops it', async () => {
    expect(open).toThrow(/policy_file: .*policy\.yaml/);
    await write('policy.yaml', 'publicize_image: (role:member');
    expect(open).toThrow(/policy\.yaml: rule "publicize_image", position/);
  });

  it('names in the log what nothing asks for', async () => {
    await write('policy.yaml', 'publicise_image: role:member');

    expect(open().unused).toEqual(['publicise_image']);
    expect(lines).toEqual(['warn a policy file names a rule that nothing asks for']);
  });
});

describe('policy_dirs', () => {
  beforeEach(async () => {
    await mkdir(at('policy.d'));
    await write('policy.yaml', 'publicize_image: role:member\ncopy_image: role:member');
    await write('policy.d/10.yaml', 'publicize_image: role:nobody');
    await write('policy.d/20.json', '{"publicize_image": "role:reader"}');
    await write('policy.d/.hidden', 'publicize_image: "!"');
  });
  const open = () => loadPolicy(config({ policy_file: at('policy.yaml'), policy_dirs: [at('policy.d')] }), log, clock);
  const granted = async (policy: ReturnType<typeof open>) =>
    Promise.all(['publicize_image', 'copy_image'].map((rule) => policy.allows(rule, {}, callerWith())));

  it('lie over the file, in the order of their names', async () => {
    expect(await granted(open())).toEqual([true, true]);
  });

  it('are followed: files come and go', async () => {
    const policy = open();
    await write('policy.d/30.yaml', 'copy_image: "!"');
    later();
    expect(await granted(policy)).toEqual([true, false]);

    await rm(at('policy.d/20.json'));
    await rm(at('policy.d/30.yaml'));
    later();
    expect(await granted(policy)).toEqual([false, true]);
  });

  it('that vanish leave the old rules', async () => {
    const policy = open();
    await rm(at('policy.d'), { recursive: true });
    later();

    expect(await granted(policy)).toEqual([true, true]);
    expect(lines).toEqual([expect.stringContaining('policy_dirs')]);
  });

  it('that are not there at the start stop it', async () => {
    await rm(at('policy.d'), { recursive: true });
    expect(open).toThrow(/policy_dirs: .*policy\.d/);
  });
});

describe('property_protection_file', () => {
  const section = (create: string) => `[.*]\ncreate = ${create}\nread = @\nupdate = ${create}\ndelete = ${create}\n`;
  const open = (format: 'roles' | 'policies') => {
    const settings = config({
      ...(format === 'policies' && { policy_file: at('policy.yaml') }),
      property_protection_file: at('protections.conf'),
      property_protection_rule_format: format,
    });
    return loadProtections(settings, loadPolicy(settings, log, clock), log, clock);
  };

  it('is followed; a broken one leaves the old protections', async () => {
    await write('protections.conf', section('member'));
    const protections = open('roles');
    expect(protections?.mayCreate('x', callerWith())).toBe(true);

    await write('protections.conf', section('billing'));
    later();
    expect(protections?.mayCreate('x', callerWith())).toBe(false);
    expect(protections?.mayUpdate('x', callerWith())).toBe(false);
    expect(protections?.mayDelete('x', callerWith())).toBe(false);
    expect(protections?.mayRead('x', callerWith())).toBe(true);

    await write('protections.conf', '[(]\n');
    later();
    expect(protections?.mayCreate('x', callerWith())).toBe(false);
    expect(lines.at(-1)).toMatch(/^error .*not a regular expression/);
  });

  it('grants nothing by a rule that has left the policy file meanwhile', async () => {
    await write('policy.yaml', 'properties: role:member');
    await write('protections.conf', section('properties'));
    const protections = open('policies');
    expect(await protections?.mayCreate('x', callerWith())).toBe(true);

    await write('policy.yaml', 'other: role:member');
    later();

    expect(await protections?.mayCreate('x', callerWith())).toBe(false);
  });
});
