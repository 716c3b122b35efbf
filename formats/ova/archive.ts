/** What an OVA holds, read and judged: descriptor, manifest, and the member that is the disk. Facts section 10. */
import { Unsafe } from '../engine/errors.ts';
import { type ByteSource, joinedSource } from '../engine/source.ts';
import { memberSource, readMember, readTarDirectory, type TarDirectory, type TarMember } from '../tar/directory.ts';
import { chunksOf } from './chunks.ts';
import { MAX_MANIFEST_BYTES, type ManifestEntry, parseManifest } from './manifest.ts';
import { type Ovf, type OvfDisk, parseOvf } from './ovf.ts';
import { MAX_XML_BYTES } from './xml.ts';

/** An archive whose descriptor could be read. `manifest` is absent when there is none. */
export interface OvaArchive {
  readonly members: TarDirectory;
  readonly descriptor: TarMember;
  readonly ovf: Ovf;
  readonly manifest?: readonly ManifestEntry[];
  readonly hasCertificate: boolean;
}

/** @throws Unsafe (`no_ovf`, `multiple_ovf`, `xml_unsafe`, `ovf_reference`, `tar_...`), Corrupt, Truncated, LimitExceeded */
export async function readOva(source: ByteSource): Promise<OvaArchive> {
  const members = await readTarDirectory(source);
  const descriptor = only(named(members, '.ovf'), 'no_ovf', 'multiple_ovf', 'OVF descriptor');
  const ovf = parseOvf(await readMember(source, descriptor, MAX_XML_BYTES));
  const manifests = named(members, '.mf');
  const [listed] = manifests;
  return {
    members,
    descriptor,
    ovf,
    ...(listed === undefined ? {} : { manifest: parseManifest(await readMember(source, listed, MAX_MANIFEST_BYTES)) }),
    hasCertificate: named(members, '.cert').length > 0,
  };
}

/** The one disk of the archive as a source of its own. @throws Unsafe when there is not exactly one that can be read */
export function diskInside(source: ByteSource, archive: OvaArchive): { disk: OvfDisk; data: ByteSource } {
  const { disks } = archive.ovf;
  const disk = only(disks, 'no_disk', 'multiple_disks', 'disk');
  if (disk.hasParent) throw new Unsafe('ovf_reference', `OVF disk ${JSON.stringify(disk.diskId)} has a parent disk`);
  if (disk.compression !== undefined) {
    const how = `compressed (${disk.compression.slice(0, 32)})`;
    throw new Unsafe('compressed_disk', `OVF disk ${JSON.stringify(disk.href)} is ${how}: it cannot be read in place`);
  }
  if (disk.href === undefined) throw new Unsafe('no_disk', `OVF disk ${JSON.stringify(disk.diskId)} has no file`);
  const { href, chunkSize } = disk;
  const pieces = chunkSize === undefined ? [wholeFile(archive, href)] : chunksOf(archive.members, href, chunkSize);
  for (const { name } of pieces) refusePackageFile(archive, name);
  return { disk, data: joinedSource(pieces.map((piece) => memberSource(source, piece))) };
}

function wholeFile({ members }: OvaArchive, href: string): TarMember {
  const member = members.get(href);
  if (member !== undefined) return member;
  throw new Unsafe('ovf_reference', `OVF disk file ${JSON.stringify(href)} is not in the archive`);
}

/** What describes the package is none of its disks. */
function refusePackageFile({ members }: OvaArchive, name: string): void {
  const described = ['.ovf', '.mf', '.cert'].some((extension) =>
    named(members, extension).some((m) => m.name === name),
  );
  if (described) throw new Unsafe('ovf_reference', `OVF disk file ${JSON.stringify(name)} describes the package`);
}

function only<T>(found: readonly T[], none: string, several: string, what: string): T {
  const [first] = found;
  if (first === undefined) throw new Unsafe(none, `OVA: no ${what}`);
  if (found.length > 1) throw new Unsafe(several, `OVA: ${found.length} of ${what}, exactly one can be used`);
  return first;
}

/** Descriptor files lie at the top of the archive. What macOS keeps beside a file of its own kind, as `._name`, is none. */
function named(members: TarDirectory, extension: string): TarMember[] {
  return [...members.values()].filter(
    ({ name }) => !name.includes('/') && !name.startsWith('._') && name.toLowerCase().endsWith(extension),
  );
}
