import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asString, asStrings, parseJson, property } from '../../../../formats/docker/json.ts';
import { dockerModule } from '../../../../formats/docker/module.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { effortOf } from '../../../support/effort.ts';
import { digest, type TestMember, tar } from '../archive-builders.ts';

const CONFIG = JSON.stringify({ architecture: 'arm64', os: 'linux', rootfs: { diff_ids: [] } });
const config: TestMember = { name: 'config.json', data: CONFIG };
const layer: TestMember = { name: 'id/layer.tar', data: 'layer' };
const manifest = (...images: unknown[]): TestMember => ({ name: 'manifest.json', data: JSON.stringify(images) });
const image = { Config: 'config.json', RepoTags: ['docker.io/library/a:1'], Layers: ['id/layer.tar'] };

async function inspect(bytes: Uint8Array) {
  const source = memorySource(bytes);
  return dockerModule.inspect(source, await probeWindow(source));
}

function blob(data: string): TestMember {
  return { name: `blobs/sha256/${digest('sha256', data)}`, data };
}
const described = (data: string) => ({ digest: `sha256:${digest('sha256', data)}`, size: data.length });
const ociManifest = JSON.stringify({ config: described(CONFIG), layers: [described('layer')] });
const LAYOUT: TestMember = { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' };
const index = (value: unknown): TestMember => ({ name: 'index.json', data: JSON.stringify(value) });
const oci = (descriptor: unknown, ...blobs: TestMember[]) => tar(LAYOUT, index({ manifests: [descriptor] }), ...blobs);

describe('a docker archive', () => {
  it('tells its tags, layers and platform', async () => {
    const facts = await inspect(tar(manifest(image), config, layer));

    expect(facts).toMatchObject({
      format: 'docker',
      subformat: 'docker-save',
      findings: [],
      details: { repo_tags: ['a:1'], layers: 1, architecture: 'arm64', os: 'linux', images: 1 },
    });
  });

  it('may link from one layer to another, inside the archive', async () => {
    const link: TestMember = { name: 'id/layer.tar', type: '2', link: '../shared.tar' };

    expect((await inspect(tar(manifest(image), config, link, { name: 'shared.tar', data: 'x' }))).findings).toEqual([]);
  });

  it('may be an OCI layout', async () => {
    const facts = await inspect(oci(described(ociManifest), blob(ociManifest), blob(CONFIG), blob('layer')));

    expect(facts).toMatchObject({
      subformat: 'oci-layout',
      findings: [],
      details: { oci_layout: '1.0.0', layers: 1, architecture: 'arm64' },
    });
  });

  it('may be a bare root filesystem, with a warning', async () => {
    expect((await inspect(tar({ name: 'etc/hostname', data: 'x' }))).findings).toMatchObject([
      { code: 'no_manifest', severity: 'warn' },
    ]);
  });
});

describe('what a docker archive tells', () => {
  const details = async (bytes: Uint8Array) => (await inspect(bytes)).details;

  it('is all that its manifest and config say', async () => {
    expect(await details(tar(manifest(image), config, layer))).toEqual({
      members: 3,
      images: 1,
      repo_tags: ['a:1'],
      layers: 1,
      architecture: 'arm64',
      os: 'linux',
    });
  });

  it('is as little as they say', async () => {
    const bare = { name: 'config.json', data: '{}' };

    expect(await details(tar(manifest({ ...image, RepoTags: null }), bare, layer))).toEqual({
      members: 3,
      images: 1,
      repo_tags: [],
      layers: 1,
    });
  });

  it.each([
    ['docker.io/library/a:1', 'a:1'],
    ['docker.io/me/a:1', 'me/a:1'],
    ['example.org/docker.io/library/a:1', 'example.org/docker.io/library/a:1'],
  ])('is the tag %s as docker shows it: %s', async (tag, shown) => {
    const facts = await details(tar(manifest({ ...image, RepoTags: [tag] }), config, layer));

    expect(facts).toMatchObject({ repo_tags: [shown] });
  });

  it('is a root filesystem and how much is in it', async () => {
    const facts = await inspect(tar({ name: 'etc/hostname', data: 'x' }));

    expect(facts).toMatchObject({ subformat: 'rootfs', details: { members: 1 } });
  });

  it('is the name of an OCI image, none of what is no image, and nothing of an empty index', async () => {
    const named = { ...described(ociManifest), annotations: { 'org.opencontainers.image.ref.name': 'web:2' } };
    const attestation = JSON.stringify({ manifests: [] });
    const blobs = [blob(ociManifest), blob(CONFIG), blob('layer'), blob(attestation)];
    const both = tar(LAYOUT, index({ manifests: [described(attestation), named] }), ...blobs);

    expect(await details(both)).toMatchObject({ images: 1, repo_tags: ['web:2'], os: 'linux' });
    expect(await details(tar(LAYOUT, index({ manifests: [] })))).toEqual({
      members: 2,
      images: 0,
      repo_tags: [],
      layers: 0,
      oci_layout: '1.0.0',
    });
    expect(await details(oci(described(ociManifest), ...blobs))).toMatchObject({ repo_tags: [] });
  });

  it.each([
    ['a hard link, from the root', { name: 'id/layer.tar', type: '1', link: 'shared.tar' }],
    ['a symbolic link, from where it stands', { name: 'id/layer.tar', type: '2', link: '../shared.tar' }],
  ])('may be behind %s', async (_what, link) => {
    const bytes = tar(manifest(image), config, { name: 'shared.tar', data: 'x' }, link);

    expect((await inspect(bytes)).findings).toEqual([]);
  });

  it.each([
    [8, []],
    [9, [{ code: 'docker_reference', message: '"id/layer.tar": more than 8 links' }]],
  ])('may be behind so many links: %i', async (links, findings) => {
    const chain = Array.from({ length: links }, (_, i) => ({
      name: i === 0 ? 'id/layer.tar' : `id/${i}`,
      type: '2',
      link: String(i + 1),
    }));
    const bytes = tar(manifest(image), config, ...chain, { name: `id/${links}`, data: 'x' });

    expect((await inspect(bytes)).findings).toMatchObject(findings);
  });
});

describe('why a docker archive is refused', () => {
  const many = <T>(length: number, value: T): T[] => Array.from({ length }, () => value);
  const ociOf = (of: object) => {
    const text = JSON.stringify({ config: described(CONFIG), layers: [described('layer')], ...of });
    return oci(described(text), blob(text), blob(CONFIG), blob('layer'));
  };
  it.each<[string, Buffer, RegExp]>([
    ['no images', tar(manifest()), /is not an array of images/],
    ['no Config', tar(manifest({ Layers: [] })), /without Config or Layers/],
    ['no Layers', tar(manifest({ Config: 'config.json' }), config), /without Config or Layers/],
    ['a layer that is no name', tar(manifest({ ...image, Layers: [1] }), config), /without Config or Layers/],
    ['513 layers', tar(manifest({ ...image, Layers: many(513, 'id/layer.tar') }), config, layer), /layers.*512/],
    ['a device', tar(manifest(image), config, { name: 'id/layer.tar', type: '3' }), /is a .+, not a file/],
    ['an index without manifests', tar(LAYOUT, index({})), /index.json has no manifests/],
    ['an index of 65', tar(LAYOUT, index({ manifests: many(65, {}) })), /index.json manifests.*64/],
    ['an OCI manifest of 513 layers', ociOf({ layers: many(513, described('layer')) }), /OCI manifest layers.*512/],
    ['an OCI layer that is not there', ociOf({ layers: [described('other')] }), /named but not in the archive/],
    ['no digest', oci({ size: 1 }), /digest "" is not a sha256/],
    [
      'a digest with something in front',
      oci({ digest: `x${described('x').digest}`, size: 1 }, blob('x')),
      /not a sha256/,
    ],
    [
      'a digest with something behind',
      oci({ digest: `${described('x').digest}0`, size: 1 }, blob('x')),
      /not a sha256/,
    ],
    ['a size of another blob', oci({ ...described(ociManifest), size: 1 }, blob(ociManifest)), /its descriptor says 1/],
    ['no size', oci({ digest: described('x').digest }, blob('x')), /1 bytes, its descriptor says undefined/],
  ])('%s', async (_, bytes, message) => {
    const { findings } = await inspect(bytes);

    expect(findings).toHaveLength(1);
    expect(findings[0]?.message).toMatch(message);
  });

  it('is no reason: 512 layers', async () => {
    const bytes = tar(manifest({ ...image, Layers: many(512, 'id/layer.tar') }), config, layer);

    expect((await inspect(bytes)).findings).toEqual([]);
  });
});

describe('a docker archive that must be refused', () => {
  const deep = `${'['.repeat(40)}${']'.repeat(40)}`;
  it.each<[string, Buffer, string]>([
    ['a layer that is not there', tar(manifest(image), config), 'docker_reference'],
    ['a config that is not there', tar(manifest(image), layer), 'docker_reference'],
    ['a layer outside', tar(manifest({ ...image, Layers: ['../x'] }), config), 'tar_unsafe_name'],
    [
      'a link that leaves',
      tar(manifest(image), config, { name: 'id/layer.tar', type: '2', link: '../../etc/passwd' }),
      'tar_unsafe_name',
    ],
    [
      'an absolute link',
      tar(manifest(image), config, { name: 'id/layer.tar', type: '2', link: '/etc/passwd' }),
      'tar_unsafe_name',
    ],
    [
      'links in a circle',
      tar(manifest(image), config, { name: 'id/layer.tar', type: '2', link: 'layer.tar' }),
      'docker_reference',
    ],
    ['a device as layer', tar(manifest(image), config, { name: 'id/layer.tar', type: '3' }), 'docker_reference'],
    ['Layers that are no list', tar(manifest({ ...image, Layers: 'x' }), config, layer), 'docker_reference'],
    [
      'Layers inherited from a prototype',
      tar(
        { name: 'manifest.json', data: '[{"Config":"config.json","__proto__":{"Layers":["id/layer.tar"]}}]' },
        config,
        layer,
      ),
      'docker_reference',
    ],
    ['a manifest that is no list', tar({ name: 'manifest.json', data: '{}' }), 'docker_reference'],
    ['a manifest that is no JSON', tar({ name: 'manifest.json', data: '[{' }), 'json_unsafe'],
    [
      'a manifest that is not UTF-8',
      tar({ name: 'manifest.json', data: Buffer.from([0x22, 0xff, 0x22]) }),
      'json_unsafe',
    ],
    ['a manifest of 40 levels', tar({ name: 'manifest.json', data: deep }), 'limit_exceeded'],
    ['a manifest above 1 MiB', tar({ name: 'manifest.json', data: ' '.repeat(1024 * 1024 + 1) }), 'limit_exceeded'],
    ['more than 64 images', tar(manifest(...Array.from({ length: 65 }, () => image)), config, layer), 'limit_exceeded'],
    [
      'a blob with another digest',
      oci({ ...described('x'), size: 1 }, { name: `blobs/sha256/${digest('sha256', 'x')}`, data: 'y' }),
      'digest_mismatch',
    ],
    ['an index without manifests', tar(LAYOUT, index({})), 'docker_reference'],
    ['a blob of another size', oci({ ...described(ociManifest), size: 1 }, blob(ociManifest)), 'docker_reference'],
    ['a digest that is a path', oci({ digest: 'sha256:../../etc/passwd', size: 1 }), 'docker_reference'],
    ['a name twice', tar(manifest(image), manifest(image), config, layer), 'tar_duplicate'],
  ])('%s', async (_, bytes, code) => {
    expect((await inspect(bytes)).findings).toMatchObject([{ code, severity: 'refuse' }]);
  });
});

describe('untrusted JSON', () => {
  it('gives own properties only', () => {
    const value = parseJson(Buffer.from('{"__proto__":{"a":1},"b":2}'), 'test');

    expect(property(value, 'a')).toBeUndefined();
    expect(property(value, 'toString')).toBeUndefined();
    expect(property(value, 'b')).toBe(2);
  });

  it.each([
    [32, true],
    [33, false],
  ])('may be nested so deep: %i, %s', (depth, fine) => {
    const parse = () => parseJson(Buffer.from('['.repeat(depth) + ']'.repeat(depth)), 'test');

    if (fine) expect(parse()).toBeInstanceOf(Array);
    else expect(parse).toThrow('test: nested deeper than 32');
  });

  it.each<[string, boolean]>([
    [`["a\\"${'['.repeat(40)}"]`, true],
    [`["a\\\\",${'['.repeat(40)}${']'.repeat(40)}]`, false],
    [`["a",${'['.repeat(40)}${']'.repeat(40)}]`, false],
    [`[${Array.from({ length: 50 }, () => '[]').join()}]`, true],
    [`[${Array.from({ length: 50 }, () => '{}').join()}]`, true],
    [`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, false],
  ])('knows where strings end: %s', (text, fine) => {
    const parse = () => parseJson(Buffer.from(text), 'test');

    if (fine) expect(parse()).toEqual(JSON.parse(text));
    else expect(parse).toThrow('test: nested deeper than 32');
  });

  it('is refused above 1 MiB, and says what the parser said', () => {
    expect(() => parseJson(Buffer.from(`${' '.repeat(1024 * 1024)}1`), 'test')).toThrow('test: bytes');
    for (const bytes of [Buffer.from('['), Buffer.from([0x22, 0xff, 0x22])])
      expect(() => parseJson(bytes, 'test')).toThrow(expect.objectContaining({ cause: expect.any(Error) }));
  });

  it('has members and strings where they are, and nowhere else', () => {
    expect(property('text', 'length')).toBeUndefined();
    expect(property(null, 'a')).toBeUndefined();
    expect([asString('a'), asString(1)]).toEqual(['a', undefined]);
    expect([asStrings(['a']), asStrings(['a', 1]), asStrings('a')]).toEqual([['a'], undefined, undefined]);
  });

  it('does not count brackets in strings', () => {
    expect(parseJson(Buffer.from(JSON.stringify('['.repeat(100))), 'test')).toHaveLength(100);
  });

  it('is refused with little work when a string never ends', async () => {
    const effort = await effortOf(() =>
      expect(() => parseJson(Buffer.from(`"${'\\"'.repeat(500_000)}`), 'test')).toThrow(
        expect.objectContaining({ code: 'json_unsafe' }),
      ),
    );

    expect(effort).toBeLessThan(100);
  });

  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        expect(parseJson(Buffer.from(JSON.stringify(value)), 'test')).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 200 },
    );
  });
});

it('is opened as what it is, a whole file of its name', async () => {
  const bytes = tar({ name: 'a', data: 'b' });

  expect(await dockerModule.open?.(memorySource(bytes))).toMatchObject({ format: 'docker', virtualSize: bytes.length });
});
