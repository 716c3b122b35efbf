import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KnownProperty, lintProperties } from '../../../../core/metadefs/lint.ts';
import { editDistance, nearest } from '../../../../core/metadefs/nearest.ts';

const known = (name: string, definition: object, namespace = 'N'): KnownProperty => ({
  name,
  namespace,
  definition: { title: 't', type: 'string', ...definition },
});

const CATALOG: readonly KnownProperty[] = [
  known('hw_disk_bus', { enum: ['virtio', 'scsi', 'ide'] }),
  known('hw_cpu_cores', { type: 'integer', minimum: 1, maximum: 64 }),
  known('hw_pmu', { type: 'boolean' }),
  known('ratio', { type: 'number' }),
  known('kernel_id', { pattern: '^(?P<id>[0-9a-f]+)$' }),
  known('code', { minLength: 2, maxLength: 3 }),
  known('hw_watch', { enum: ['a', 'b'], operators: ['<in>'] }),
  known('architecture', {}, 'Free'),
  known('architecture', { enum: ['x86_64', 'aarch64'] }, 'Strict'),
  known('os_distro', { enum: ['ubuntu'] }, 'One'),
  known('os_distro', { enum: ['fedora'] }, 'Two'),
];
const lint = (property: string, value: string | null) => lintProperties({ [property]: value }, CATALOG);

describe('values', () => {
  test.each([
    ['hw_disk_bus', 'virtio'],
    ['hw_cpu_cores', '64'],
    ['hw_pmu', 'True'],
    ['hw_pmu', 'no'],
    ['ratio', '-1.5'],
    ['kernel_id', 'abc0'],
    ['code', 'abc'],
    ['hw_watch', '<in> a'],
    ['architecture', 'x86_64'],
    ['os_distro', 'fedora'],
  ])('%s=%s is fine', (property, value) => {
    expect(lint(property, value)).toEqual([]);
  });

  test.each([
    ['hw_disk_bus', 'virtoi', 'is not one of virtio, scsi, ide', 'virtio'],
    ['hw_disk_bus', 'SCSI', 'is not one of', 'scsi'],
    ['hw_disk_bus', 'nvme', 'is not one of', undefined],
    ['hw_cpu_cores', 'four', 'is not a whole number', undefined],
    ['hw_cpu_cores', '0', 'is less than 1', undefined],
    ['hw_cpu_cores', '65', 'is more than 64', undefined],
    ['hw_pmu', 'maybe', 'is not true or false', undefined],
    ['ratio', 'x', 'is not a number', undefined],
    ['kernel_id', 'XYZ', 'does not match', undefined],
    ['code', 'a', 'is shorter than 2', undefined],
    ['code', 'abcd', 'is longer than 3', undefined],
    ['architecture', 'x86_46', 'is not one of x86_64, aarch64 (Strict)', 'x86_64'],
    ['os_distro', 'fedroa', 'is not one of ubuntu (One)', 'fedora'],
  ])('%s=%s %s', (property, value, words, suggestion) => {
    const [finding, ...more] = lint(property, value);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ kind: 'value', property, value });
    expect(finding?.message).toContain(words);
    expect(finding?.suggestion).toBe(suggestion);
  });
});

describe('other words for a value', () => {
  const catalog = [
    known('architecture', { enum: ['x86_64', 'i686', 'aarch64', 'armv7l', 'ppc64le'] }),
    known('os_distro', { enum: ['rhel', 'arch', 'ubuntu'] }),
    known('vm_mode', { enum: ['hvm', 'xen'] }),
  ];

  test.each([
    ['architecture', 'amd64', 'x86_64'],
    ['architecture', 'AMD64', 'x86_64'],
    ['architecture', 'x64', 'x86_64'],
    ['architecture', 'i386', 'i686'],
    ['architecture', 'x86', 'i686'],
    ['architecture', 'arm64', 'aarch64'],
    ['architecture', 'armhf', 'armv7l'],
    ['architecture', 'ppc64el', 'ppc64le'],
    ['os_distro', 'RedHat', 'rhel'],
    ['os_distro', 'archlinux', 'arch'],
    ['os_distro', 'canonical', 'ubuntu'],
    ['vm_mode', 'pv', 'xen'],
    ['architecture', 'constructor', undefined],
    ['vm_mode', 'amd64', undefined],
  ])('%s=%s means %s', (property, value, suggestion) => {
    const [finding] = lintProperties({ [property]: value }, catalog);

    expect(finding).toMatchObject({ kind: 'value', property, value });
    expect(finding?.suggestion).toBe(suggestion);
  });

  test('are fine where a catalog knows them itself', () => {
    expect(lintProperties({ architecture: 'amd64' }, [known('architecture', { enum: ['amd64'] })])).toEqual([]);
  });
});

describe('names', () => {
  test.each([
    ['hw_disk_buss', 'hw_disk_bus'],
    ['hw-disk-bus', 'hw_disk_bus'],
    ['HW_DISK_BUS', 'hw_disk_bus'],
    ['hw_dsik_bus', 'hw_disk_bus'],
    ['architectuer', 'architecture'],
  ])('%s is probably %s', (property, suggestion) => {
    expect(lint(property, 'x')).toMatchObject([{ kind: 'name', property, suggestion }]);
  });

  test.each(['mine', 'hw_something_else', 'rat', 'constructor', '__proto__'])('%s is somebody’s own', (property) => {
    const message = `${property} is not in the catalog`;
    expect(lintProperties(Object.fromEntries([[property, 'x']]), CATALOG)).toEqual([
      { kind: 'unknown', property, value: 'x', message },
    ]);
  });

  test.each(['os_glance_failed_import', 'owner_specified.openstack.md5'])('%s is a service’s', (property) => {
    expect(lint(property, 'x')).toEqual([]);
  });

  test.each([
    ['trait:HW_CPU_X86_AVX2', 'required', []],
    ['trait:CUSTOM_GOLD', 'forbidden', ['value']],
    ['trait:custom_gold', 'required', ['unknown']],
    ['hw_numa_cpus.17', '0-3,5', []],
    ['hw_numa_cpus.17', 'all', ['value']],
    ['hw_numa_mem.4', '512', []],
    ['hw_numa_mem.x', '512', ['unknown']],
  ])('%s=%s, of which there is one for each of something', (property, value, kinds) => {
    expect(lint(property, value).map(({ kind }) => kind)).toEqual(kinds);
  });

  test('findings come in the order of names, nulls are left alone', () => {
    const found = lintProperties({ ratio: 'x', hw_pmu: 'x', code: null }, CATALOG);
    expect(found.map(({ property }) => property)).toEqual(['hw_pmu', 'ratio']);
  });
});

describe('distance', () => {
  test('is a metric as far as it is asked for: zero for itself, symmetric, at most the longer word', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });

  test('counts a swap once', () => {
    expect(editDistance('virtoi', 'virtio')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  test('prefers the nearer candidate and never a word of its own', () => {
    expect(nearest('hw_disk_bu', ['hw_disk_box', 'hw_disk_bus'])).toBe('hw_disk_bus');
    expect(nearest('ide', ['ide', 'idf'])).toBeUndefined();
    expect(nearest('abc', ['abd'])).toBeUndefined();
  });
});
