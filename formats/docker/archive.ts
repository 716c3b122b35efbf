/** Docker archives and OCI layouts: from their manifests to the members they name. Facts section 11. */
import { createDigest } from '#codecs/digest.ts';
import { capped } from '../engine/bytes.ts';
import { Unsafe } from '../engine/errors.ts';
import type { ByteSource } from '../engine/source.ts';
import { readMember, type TarDirectory, type TarMember } from '../tar/directory.ts';
import { linkTarget, safeName } from '../tar/name.ts';
import { asString, asStrings, MAX_JSON_BYTES, parseJson, property } from './json.ts';

/** One image of an archive. */
export interface DockerImage {
  readonly repoTags: readonly string[];
  readonly layers: number;
  readonly architecture?: string;
  readonly os?: string;
}

/** An archive holds one image, or a handful of `docker save a b c`; an index lists platforms. */
const MAX_IMAGES = 64;
const MAX_LAYERS = 512;
/** Old writers put a layer once and link to it; chains of links do not occur. */
const MAX_LINKS = 8;

/** A member by name, links followed inside the archive. @throws Unsafe (`docker_reference`, `tar_unsafe_name`) */
function resolveMember(members: TarDirectory, name: string): TarMember {
  let path = safeName(name);
  for (let step = 0; step <= MAX_LINKS; step++) {
    const member = members.get(path);
    if (member === undefined) {
      throw new Unsafe('docker_reference', `${JSON.stringify(path.slice(0, 120))} is named but not in the archive`);
    }
    if (member.kind === 'file') return member;
    if (member.kind !== 'symlink' && member.kind !== 'hardlink') {
      throw new Unsafe('docker_reference', `${JSON.stringify(member.name)} is a ${member.kind}, not a file`);
    }
    path = linkTarget(member.name, member.linkName, member.kind === 'hardlink');
  }
  throw new Unsafe('docker_reference', `${JSON.stringify(name.slice(0, 120))}: more than ${MAX_LINKS} links`);
}

/** Images of `docker save`: manifest.json is an array of {Config, RepoTags, Layers}. */
export async function dockerSaveImages(source: ByteSource, members: TarDirectory): Promise<DockerImage[]> {
  const manifest = await readJson(source, resolveMember(members, 'manifest.json'));
  if (!Array.isArray(manifest) || manifest.length === 0) {
    throw new Unsafe('docker_reference', 'manifest.json is not an array of images');
  }
  capped(manifest.length, MAX_IMAGES, 'manifest.json images');
  const images: DockerImage[] = [];
  for (const entry of manifest) {
    const config = asString(property(entry, 'Config'));
    const layers = asStrings(property(entry, 'Layers'));
    if (config === undefined || layers === undefined) {
      throw new Unsafe('docker_reference', 'manifest.json: an image without Config or Layers');
    }
    capped(layers.length, MAX_LAYERS, 'manifest.json layers');
    for (const layer of layers) resolveMember(members, layer);
    images.push({
      repoTags: (asStrings(property(entry, 'RepoTags')) ?? []).map(familiarName),
      layers: layers.length,
      ...platformOf(await readJson(source, resolveMember(members, config))),
    });
  }
  return images;
}

/** As docker shows it: the default registry and its `library` are left out. */
function familiarName(tag: string): string {
  return tag.replace(/^docker\.io\/(library\/)?/u, '');
}

/** Version of the OCI layout, undefined when the archive is none. */
export async function ociLayoutVersion(source: ByteSource, members: TarDirectory): Promise<string | undefined> {
  if (!members.has('oci-layout')) return undefined;
  const layout = await readJson(source, resolveMember(members, 'oci-layout'));
  return asString(property(layout, 'imageLayoutVersion'));
}

/** Images of an OCI layout: index.json names manifests by digest, manifests name config and layers (OCI image spec 1.1). */
export async function ociImages(source: ByteSource, members: TarDirectory): Promise<DockerImage[]> {
  const index = await readJson(source, resolveMember(members, 'index.json'));
  const descriptors = property(index, 'manifests');
  if (!Array.isArray(descriptors)) throw new Unsafe('docker_reference', 'index.json has no manifests');
  capped(descriptors.length, MAX_IMAGES, 'index.json manifests');
  const images: DockerImage[] = [];
  for (const descriptor of descriptors) {
    const manifest = await readBlob(source, members, descriptor);
    const layers = property(manifest, 'layers');
    // An image index or an attestation: its blob was checked, it is no image of its own.
    if (!Array.isArray(layers)) continue;
    capped(layers.length, MAX_LAYERS, 'OCI manifest layers');
    for (const layer of layers) blobOf(members, layer);
    const name = asString(property(property(descriptor, 'annotations'), 'org.opencontainers.image.ref.name'));
    images.push({
      repoTags: name === undefined ? [] : [name],
      layers: layers.length,
      ...platformOf(await readBlob(source, members, property(manifest, 'config'))),
    });
  }
  return images;
}

/** `architecture` and `os` of an image's config. */
function platformOf(config: unknown): { architecture?: string; os?: string } {
  const architecture = asString(property(config, 'architecture'));
  const os = asString(property(config, 'os'));
  return { ...(architecture === undefined ? {} : { architecture }), ...(os === undefined ? {} : { os }) };
}

/** The member of a descriptor {digest: "sha256:hex", size}. */
function blobOf(members: TarDirectory, descriptor: unknown): { member: TarMember; hex: string } {
  const digest = asString(property(descriptor, 'digest')) ?? '';
  const hex = /^sha256:([0-9a-f]{64})$/u.exec(digest)?.[1];
  if (hex === undefined) {
    throw new Unsafe(
      'docker_reference',
      `OCI descriptor: digest ${JSON.stringify(digest.slice(0, 80))} is not a sha256`,
    );
  }
  const member = resolveMember(members, `blobs/sha256/${hex}`);
  const size = property(descriptor, 'size');
  if (size !== member.size) {
    throw new Unsafe('docker_reference', `OCI blob ${hex}: ${member.size} bytes, its descriptor says ${String(size)}`);
  }
  return { member, hex };
}

/** A JSON blob, its digest verified: it is read anyway. */
async function readBlob(source: ByteSource, members: TarDirectory, descriptor: unknown): Promise<unknown> {
  const { member, hex } = blobOf(members, descriptor);
  const bytes = await readMember(source, member, MAX_JSON_BYTES);
  const digest = createDigest('sha256');
  digest.update(bytes);
  const actual = digest.hex();
  if (actual !== hex) throw new Unsafe('digest_mismatch', `OCI blob ${hex}: its SHA256 is ${actual}`);
  return parseJson(bytes, `OCI blob ${hex}`);
}

async function readJson(source: ByteSource, member: TarMember): Promise<unknown> {
  return parseJson(await readMember(source, member, MAX_JSON_BYTES), member.name);
}
