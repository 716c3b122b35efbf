import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, property } from '../../../formats/docker/json.ts';
import { dockerModule } from '../../../formats/docker/module.ts';
import { memorySource } from '../../../formats/engine/source.ts';
import { probeWindow } from '../../../formats/engine/window.ts';
import { effortOf } from '../../support/effort.ts';
import { digest, type TestMember, tar } from './archive-builders.ts';

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
const oci = (descriptor: unknown, ...blobs: TestMember[]) =>
  tar(
    { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', data: JSON.stringify({ manifests: [descriptor] }) },
    ...blobs,
  );

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
