/**
 * OVA appliances: a tar with an OVF descriptor and one disk, which is inspected and read in place as a range of the
 * archive. The engine that knows the disk's format is handed in, so that formats do not import the registry.
 */

import { traitsOf } from '../catalog.ts';
import { Unsafe } from '../engine/errors.ts';
import { asFinding, type Finding, finding } from '../engine/findings.ts';
import type { DiskImage, FormatFacts, FormatModule } from '../engine/image.ts';
import type { ByteSource } from '../engine/source.ts';
import { tarKind } from '../tar/kind.ts';
import { diskInside, type OvaArchive, readOva } from './archive.ts';
import { propertyHints } from './hints.ts';
import { manifestBytes, verifyManifest } from './manifest.ts';
import type { OvfDisk } from './ovf.ts';
import { OVA } from './traits.ts';

/** What the module needs of the engine: both detect the format of the bytes they are given. */
export interface InnerEngine {
  /** @throws FormatError when the disk must be refused */
  open(source: ByteSource): Promise<DiskImage>;
  /** Facts of the best matching format with every finding about the disk. */
  inspect(source: ByteSource): Promise<FormatFacts>;
}

/**
 * Digests are checked at inspection up to this many bytes, about a second of SHA-256 on a slow core, so that inspection
 * stays quick. Above it the finding `manifest_unverified` says so, and `verifyWhole` (inspect.ts) is for a task to call.
 */
export const INSPECT_DIGEST_BYTES = 512 * 1024 * 1024;

/** Makes the module for OVA, given the engine for the disk inside. */
export function ovaModule(engine: InnerEngine): FormatModule {
  return {
    ...OVA,
    safetyRules: ['no_ovf', 'multiple_disks', 'digest_mismatch', 'xml_unsafe', 'tar_unsafe_name', 'ovf_reference'],
    probe: (window) => tarKind(window) === 'ova',
    inspect: (source) => inspectOva(engine, source),
    async open(source) {
      const { data } = await diskInside(source, await readOva(source));
      return engine.open(data);
    },
    verify: verifyOva,
  };
}

/**
 * Checks every digest of a manifest above `INSPECT_DIGEST_BYTES`; shorter ones inspection has checked. No findings when all
 * agree or there is no manifest.
 * @throws FormatError when the archive cannot be read
 */
export async function verifyOva(source: ByteSource): Promise<Finding[]> {
  const { manifest, members } = await readOva(source);
  if (manifest === undefined || manifestBytes(manifest, members) <= INSPECT_DIGEST_BYTES) return [];
  return verifyManifest(source, manifest, members);
}

async function inspectOva(engine: InnerEngine, source: ByteSource): Promise<FormatFacts> {
  let archive: OvaArchive;
  try {
    archive = await readOva(source);
  } catch (error) {
    return { format: 'ova', findings: [asFinding(error)], details: {} };
  }
  const findings = await archiveFindings(source, archive);
  const inner = await inspectDisk(engine, source, archive, findings);
  return {
    format: 'ova',
    ...(inner?.virtualSize === undefined ? {} : { virtualSize: inner.virtualSize }),
    ...(inner?.allocatedBytes === undefined ? {} : { allocatedBytes: inner.allocatedBytes }),
    ...(inner?.blockSize === undefined ? {} : { blockSize: inner.blockSize }),
    ...(inner?.subformat === undefined ? {} : { subformat: inner.subformat }),
    findings,
    details: { ...(inner === undefined ? {} : diskDetails(inner)), ...archiveDetails(archive) },
  };
}

async function archiveFindings(source: ByteSource, archive: OvaArchive): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { manifest, members } = archive;
  if (manifest !== undefined) {
    const bytes = manifestBytes(manifest, members);
    if (bytes > INSPECT_DIGEST_BYTES) {
      findings.push(finding('manifest_unverified', `OVA manifest: ${bytes} bytes were not hashed during inspection`));
    } else {
      findings.push(...(await guarded(() => verifyManifest(source, manifest, members))));
    }
  }
  if (archive.hasCertificate) {
    findings.push(finding('certificate_unverified', 'OVA: a .cert is present, its signature is not verified'));
  }
  return findings;
}

async function guarded(check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    return [asFinding(error)];
  }
}

/** Facts of the disk inside; its findings are added to `findings`. Undefined when there is no disk to look at. */
async function inspectDisk(
  engine: InnerEngine,
  source: ByteSource,
  archive: OvaArchive,
  findings: Finding[],
): Promise<FormatFacts | undefined> {
  try {
    const { disk, data, fileSize } = await diskInside(source, archive);
    const inner = await engine.inspect(data);
    if (traitsOf(inner.format).neverDisk === true) {
      throw new Unsafe('ovf_reference', `OVF disk file ${JSON.stringify(disk.href)} is ${inner.format}, not a disk`);
    }
    findings.push(...inner.findings.map((found) => ({ ...found, message: `disk inside: ${found.message}` })));
    findings.push(...disagreements(disk, fileSize, inner));
    return inner;
  } catch (error) {
    findings.push(asFinding(error));
    return undefined;
  }
}

/** The disk is right and the descriptor a claim: a difference is worth saying. */
function disagreements(disk: OvfDisk, fileSize: number, inner: FormatFacts): Finding[] {
  const found: Finding[] = [];
  if (disk.capacityBytes !== undefined && inner.virtualSize !== undefined && disk.capacityBytes !== inner.virtualSize) {
    const both = `the disk has ${inner.virtualSize} bytes, the OVF says ${disk.capacityBytes}`;
    found.push(finding('capacity_mismatch', `virtual size: ${both}`));
  }
  if (disk.fileSize !== undefined && disk.fileSize !== fileSize) {
    found.push(finding('capacity_mismatch', `file size: ${fileSize} bytes, the OVF says ${disk.fileSize}`));
  }
  return found;
}

/** Facts under stable names; suggestions for image properties stand beside them under the properties' own names. */
function archiveDetails({ ovf, manifest, members }: OvaArchive): Record<string, unknown> {
  const { machine, disks } = ovf;
  const facts = {
    disk_href: disks.length === 1 ? disks[0]?.href : undefined,
    cpu: machine.cpu,
    memory_mib: machine.memoryMib,
    os_description: machine.osDescription,
    hardware_version: machine.hardwareVersion,
  };
  return {
    disks: disks.length,
    members: members.size,
    virtual_systems: ovf.systems,
    manifest: manifest?.[0]?.algorithm ?? null,
    nics: machine.networkAdapters,
    ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
    ...propertyHints(machine),
  };
}

/** The disk's own facts apart, but for what suggests an image property; the OVF knows the machine better. */
function diskDetails(inner: FormatFacts): Record<string, unknown> {
  const own = Object.entries(inner.details).filter(([name]) => name.startsWith('vmware_'));
  return { ...Object.fromEntries(own), disk_format: inner.format, disk: inner.details };
}
