import type { ProbeWindow } from '../engine/image.ts';
import { visibleNames } from './directory.ts';
import { BLOCK, isTarHeader } from './header.ts';

/** Disks and descriptors as an OVA carries them. */
const OVA_NAME = /\.(ovf|vmdk|vhdx?|qcow2|vdi|img|raw|mf|cert)$/iu;
/** Entries that `docker save` and OCI layouts begin with: their manifests, or something named by a sha256. */
const DOCKER_NAME =
  /^(\.\/)?(manifest\.json|oci-layout|index\.json|repositories|blobs\/|[0-9a-f]{64}(\.tar|\.json|\/|$))/u;

/**
 * Which of the two archives a tar is, from the first bytes: an OVA when an OVF descriptor is in sight, or a disk and
 * nothing of docker's; any other tar counts as docker's (an exported root filesystem has no mark of its own).
 */
export function tarKind({ head }: ProbeWindow): 'ova' | 'docker' | undefined {
  if (!isTarHeader(head.subarray(0, BLOCK))) return undefined;
  const names = visibleNames(head);
  if (names.some((name) => /^(\.\/)?[^/]+\.ovf$/iu.test(name))) return 'ova';
  if (names.some((name) => DOCKER_NAME.test(name))) return 'docker';
  return OVA_NAME.test(names[0] ?? '') ? 'ova' : 'docker';
}
