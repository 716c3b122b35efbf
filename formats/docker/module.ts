/** Docker archives: stored and read as they are (container_format docker), their manifests checked. Facts section 11. */

import { asFinding, finding } from '../engine/findings.ts';
import type { FormatFacts, FormatModule } from '../engine/image.ts';
import { opaqueImage } from '../engine/opaque-image.ts';
import type { ByteSource } from '../engine/source.ts';
import { readTarDirectory, type TarDirectory } from '../tar/directory.ts';
import { tarKind } from '../tar/kind.ts';
import { type DockerImage, dockerSaveImages, ociImages, ociLayoutVersion } from './archive.ts';
import { DOCKER } from './traits.ts';

/** Tar archives of `docker save`, OCI layouts, and bare root filesystems of `docker export`. */
export const dockerModule: FormatModule = {
  ...DOCKER,
  safetyRules: ['tar_unsafe_name', 'tar_duplicate', 'docker_reference', 'json_unsafe', 'digest_mismatch'],
  probe: (window) => tarKind(window) === 'docker',
  async inspect(source): Promise<FormatFacts> {
    const common = { format: 'docker', virtualSize: source.size } as const;
    try {
      return { ...common, ...(await inspectArchive(source)) };
    } catch (error) {
      return { ...common, findings: [asFinding(error)], details: {} };
    }
  },
  open: async (source) => opaqueImage('docker', source),
};

async function inspectArchive(source: ByteSource): Promise<Pick<FormatFacts, 'subformat' | 'findings' | 'details'>> {
  const members = await readTarDirectory(source);
  const ociLayout = await ociLayoutVersion(source, members);
  const images = await imagesOf(source, members, ociLayout);
  if (images === undefined) {
    const message = 'a tar without manifest.json or index.json: a bare root filesystem';
    return { subformat: 'rootfs', findings: [finding('no_manifest', message)], details: { members: members.size } };
  }
  const [first] = images;
  return {
    subformat: members.has('manifest.json') ? 'docker-save' : 'oci-layout',
    findings: [],
    details: {
      members: members.size,
      images: images.length,
      repo_tags: images.flatMap((image) => image.repoTags),
      layers: first?.layers ?? 0,
      ...(first?.architecture === undefined ? {} : { architecture: first.architecture }),
      ...(first?.os === undefined ? {} : { os: first.os }),
      ...(ociLayout === undefined ? {} : { oci_layout: ociLayout }),
    },
  };
}

/** Newer `docker save` is both at once: then both lists of references must hold. */
async function imagesOf(
  source: ByteSource,
  members: TarDirectory,
  ociLayout: string | undefined,
): Promise<DockerImage[] | undefined> {
  const oci = ociLayout === undefined ? undefined : await ociImages(source, members);
  return members.has('manifest.json') ? dockerSaveImages(source, members) : oci;
}
