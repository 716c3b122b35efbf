/** An OVF descriptor: which file is the disk, and what hardware the machine had (DSP0243). Facts section 10. */
import { Corrupt, Unsafe } from '../engine/errors.ts';
import { childrenOf, childText, descendantsOf, parseXml, type XmlElement } from './xml.ts';

/** A Disk element with the File it refers to. `capacityBytes` is what the descriptor says, not what the disk is. */
export interface OvfDisk {
  readonly diskId: string;
  /** Member name, percent-decoded. Absent for a disk that starts empty. */
  readonly href?: string;
  readonly capacityBytes?: number;
  /** Bytes of the file as the descriptor says. */
  readonly fileSize?: number;
  /** Format URL, a claim. */
  readonly format?: string;
  /** `gzip`, when the file is compressed as a whole. */
  readonly compression?: string;
  /** Bytes of each piece but the last, when the file lies in pieces (chunks.ts). */
  readonly chunkSize?: number;
  readonly hasParent: boolean;
}

/** An Item of the virtual hardware. `quantity` in units of `allocationUnits`. */
interface HardwareItem {
  readonly instanceId: string;
  readonly resourceType: string;
  readonly subType: string;
  readonly parent: string;
  readonly quantity: number | undefined;
  readonly units: string;
}

/** What the descriptor says about the machine; memory in MiB. */
export interface OvfMachine {
  readonly cpu?: number;
  readonly memoryMib?: number;
  /** ide, scsi or sata: the controller of the first disk. */
  readonly diskBus?: 'ide' | 'scsi' | 'sata';
  /** ResourceSubType of that controller, as written. */
  readonly diskController?: string;
  /** ResourceSubTypes of the network adapters, as written. */
  readonly networkAdapters: readonly string[];
  readonly firmware?: 'uefi' | 'bios';
  readonly osId?: string;
  readonly osType?: string;
  readonly osDescription?: string;
  readonly hardwareVersion?: string;
}

export interface Ovf {
  readonly disks: readonly OvfDisk[];
  readonly machine: OvfMachine;
  /** Virtual systems described. */
  readonly systems: number;
}

/** ResourceType → the bus of its disks (CIM_ResourceAllocationSettingData). */
const BUSES: Readonly<Record<string, 'ide' | 'scsi' | 'sata'>> = { '5': 'ide', '6': 'scsi', '20': 'sata' };

/** @throws Unsafe (`xml_unsafe`, `ovf_reference`), Corrupt when the root is no Envelope, LimitExceeded */
export function parseOvf(bytes: Uint8Array): Ovf {
  const envelope = parseXml(bytes);
  if (envelope.name !== 'Envelope')
    throw new Corrupt(`OVF: root element is ${envelope.name.slice(0, 64)}, not Envelope`);
  const systems = descendantsOf(envelope, 'VirtualSystem');
  return { disks: disksOf(envelope), machine: machineOf(systems[0] ?? envelope), systems: systems.length };
}

function disksOf(envelope: XmlElement): OvfDisk[] {
  const files = new Map<string, XmlElement>();
  for (const file of descendantsOf(envelope, 'File')) files.set(file.attributes.get('id') ?? '', file);
  return childrenOf(envelope, 'DiskSection')
    .flatMap((section) => childrenOf(section, 'Disk'))
    .map((disk) => diskOf(disk, files));
}

function diskOf(disk: XmlElement, files: ReadonlyMap<string, XmlElement>): OvfDisk {
  const diskId = disk.attributes.get('diskId') ?? '';
  const reference = disk.attributes.get('fileRef');
  const file = reference === undefined ? undefined : files.get(reference);
  if (reference !== undefined && file === undefined) {
    throw new Unsafe('ovf_reference', `OVF disk ${shown(diskId)}: no File has the id ${shown(reference)}`);
  }
  const compression = file?.attributes.get('compression');
  return {
    diskId,
    ...optional('href', file && memberName(file.attributes.get('href') ?? '')),
    ...optional('capacityBytes', capacity(disk)),
    ...optional('fileSize', naturalNumber(file?.attributes.get('size'))),
    ...optional('format', disk.attributes.get('format')),
    ...optional('compression', compression === 'identity' ? undefined : compression),
    ...optional('chunkSize', chunkSizeOf(diskId, file)),
    hasParent: disk.attributes.has('parentRef'),
  };
}

/** @throws Unsafe for a size that is no positive number */
function chunkSizeOf(diskId: string, file: XmlElement | undefined): number | undefined {
  const text = file?.attributes.get('chunkSize');
  if (text === undefined) return undefined;
  const size = naturalNumber(text);
  if (size) return size;
  throw new Unsafe('ovf_reference', `OVF disk ${shown(diskId)}: chunkSize ${shown(text)} is no number of bytes`);
}

/** Hrefs are names of members: percent-decoded, never URLs or paths out of the archive. */
function memberName(href: string): string {
  let name: string;
  try {
    name = decodeURIComponent(href);
  } catch (cause) {
    // biome-ignore lint/style/useErrorCause: the cause is there, as the third argument
    throw new Unsafe('ovf_reference', `OVF href ${shown(href)} is not percent-encoded text`, { cause });
  }
  const plain = name.replace(/^(\.\/)+/u, '');
  const outside = plain === '' || plain.startsWith('/') || /[\\\0]|^[a-z][a-z0-9+.-]*:/iu.test(plain);
  if (outside || plain.split('/').includes('..')) {
    throw new Unsafe('ovf_reference', `OVF href ${shown(href)} is not the name of a member`);
  }
  return plain;
}

/** `byte`, `byte * 2^20`, or the words of OVF 0.9. */
const UNITS: Readonly<Record<string, number>> = {
  byte: 1,
  bytes: 1,
  kilobytes: 2 ** 10,
  megabytes: 2 ** 20,
  gigabytes: 2 ** 30,
  terabytes: 2 ** 40,
};

function unitBytes(units: string): number | undefined {
  const text = units.toLowerCase().replace(/\s+/gu, '');
  const power = /^bytes?\*(2|10)\^(\d{1,2})$/u.exec(text);
  return power === null ? UNITS[text] : Number(power[1]) ** Number(power[2]);
}

function capacity(disk: XmlElement): number | undefined {
  const count = naturalNumber(disk.attributes.get('capacity'));
  const unit = unitBytes(disk.attributes.get('capacityAllocationUnits') ?? 'byte');
  const bytes = count === undefined || unit === undefined ? Number.NaN : count * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function machineOf(system: XmlElement): OvfMachine {
  const items = descendantsOf(system, 'Item').concat(descendantsOf(system, 'StorageItem')).map(hardwareItem);
  const disk = items.find((item) => item.resourceType === '17');
  const controller = items.find((item) => disk !== undefined && item.instanceId === disk.parent);
  const memory = items.find((item) => item.resourceType === '4');
  const memoryBytes = (memory?.quantity ?? Number.NaN) * (unitBytes(memory?.units || 'byte * 2^20') ?? Number.NaN);
  const os = childrenOf(system, 'OperatingSystemSection')[0];
  const hardware = descendantsOf(system, 'VirtualSystemType')[0]?.text;
  return {
    ...optional('cpu', items.find((item) => item.resourceType === '3')?.quantity),
    ...optional('memoryMib', Number.isFinite(memoryBytes) ? Math.ceil(memoryBytes / 2 ** 20) : undefined),
    ...optional('diskBus', controller && BUSES[controller.resourceType]),
    ...optional('diskController', controller?.subType || undefined),
    networkAdapters: items.filter((item) => item.resourceType === '10').flatMap((item) => item.subType || []),
    ...optional('firmware', firmwareOf(system)),
    ...optional('osId', os?.attributes.get('id')),
    ...optional('osType', os?.attributes.get('osType')),
    ...optional('osDescription', os && childText(os, 'Description')),
    ...optional('hardwareVersion', hardware || undefined),
  };
}

function hardwareItem(item: XmlElement): HardwareItem {
  return {
    instanceId: childText(item, 'InstanceID') ?? childText(item, 'InstanceId') ?? '',
    resourceType: childText(item, 'ResourceType') ?? '',
    subType: childText(item, 'ResourceSubType') ?? '',
    parent: childText(item, 'Parent') ?? '',
    quantity: naturalNumber(childText(item, 'VirtualQuantity')),
    units: childText(item, 'AllocationUnits') ?? '',
  };
}

/** VMware writes `<vmw:Config vmw:key="firmware" vmw:value="efi"/>`. */
function firmwareOf(system: XmlElement): 'uefi' | 'bios' | undefined {
  const config = descendantsOf(system, 'Config').find((entry) => entry.attributes.get('key') === 'firmware');
  const value = config?.attributes.get('value');
  return value === 'efi' ? 'uefi' : value === 'bios' ? 'bios' : undefined;
}

function naturalNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/u.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A property only when it has a value, for types under exactOptionalPropertyTypes. */
function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 120));
}
