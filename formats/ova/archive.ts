/** What an OVA holds, read and judged: descriptor, manifest, and the member that is the disk. Facts section 10. */
import { Unsafe } from '../engine/errors.ts';
import { gunzippedSource } from '../engine/gunzipped.ts';
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

/** The disk of an archive, and its file as it stands there. */
interface DiskInside {
  readonly disk: OvfDisk;
  /** The bytes of the disk. */
  readonly data: ByteSource;
  /** Bytes of the file in the archive. */
  readonly fileSize: number;
}

/**
 * The one disk of the archive as a source of its own; a compressed file is read once to the end.
 * @throws Unsafe when there is not exactly one that can be read; LimitExceeded, Corrupt, Truncated for a compressed file
 */
export async function diskInside(source: ByteSource, archive: OvaArchive): Promise<DiskInside> {
  const { disks } = archive.ovf;
  const disk = only(disks, 'no_disk', 'multiple_disks', 'disk');
  if (disk.hasParent) throw new Unsafe('ovf_reference', `OVF disk ${JSON.stringify(disk.diskId)} has a parent disk`);
  if (disk.href === undefined) throw new Unsafe('no_disk', `OVF disk ${JSON.stringify(disk.diskId)} has no file`);
  const { href, chunkSize } = disk;
  const pieces = chunkSize === undefined ? [wholeFile(archive, href)] : chunksOf(archive.members, href, chunkSize);
  for (const { name } of pieces) refusePackageFile(archive, name);
  const file = joinedSource(pieces.map((piece) => memberSource(source, piece)));
  return { disk, data: await uncompressed(file, disk), fileSize: file.size };
}

/** What a disk's format may take beside the disk: tables, and data that does not shrink. */
const OVERHEAD = { bytes: 64 * 1024 * 1024, share: 1 / 16 } as const;

/** @throws Unsafe (`compressed_disk`) for another compression than gzip, and without a capacity that bounds what may come out */
async function uncompressed(file: ByteSource, { href, compression, capacityBytes }: OvfDisk): Promise<ByteSource> {
  if (compression === undefined) return file;
  const what = `OVF disk ${JSON.stringify(href)} is compressed (${compression.slice(0, 32)})`;
  if (compression !== 'gzip') throw new Unsafe('compressed_disk', `${what}: gzip alone can be read`);
  if (capacityBytes === undefined) throw new Unsafe('compressed_disk', `${what} and has no capacity that bounds it`);
  return gunzippedSource(file, capacityBytes * (1 + OVERHEAD.share) + OVERHEAD.bytes);
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
