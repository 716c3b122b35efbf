/**
 * Introspection: one typed answer for every object, whatever it is. Runs all detectors, the parser of the format it
 * chooses, and looks at the guest's view of the disk; `policy.ts` and `findings.ts` say what that means.
 */

import { traitsOf } from './catalog.ts';
import { filesystemOf } from './engine/filesystem/filesystem.ts';
import { asFinding, type Finding, finding } from './engine/findings.ts';
import type { DiskImage, FormatFacts, FormatModule, FormatName, ProbeWindow } from './engine/image.ts';
import { type FirmwareHint, firmwareHints, type PartitionTable, readPartitionTable } from './engine/partitions.ts';
import { propertyHints } from './engine/properties.ts';
import type { ByteSource } from './engine/source.ts';
import { imageSource, probeWindow, windowedSource } from './engine/window.ts';
import { chooseFormat, tolerated, type Verdict, verdictOf } from './policy.ts';
import { MODULES, moduleOf } from './registry.ts';

/** What an inspection says about an object. Sizes are bytes. */
export interface Inspection {
  /** The format it is taken for: the only one that matched, or the declared one where both agree. */
  readonly format: FormatName;
  /** Every format whose detector matched; empty for raw. */
  readonly matches: readonly FormatName[];
  readonly declared?: FormatName;
  /** Bytes the guest sees; null when the structures do not say. */
  readonly virtualSize: number | null;
  /** Bytes of the object. */
  readonly fileSize: number;
  /** Guest bytes with data, when the tables say so cheaply. */
  readonly allocatedBytes?: number;
  /** Cluster, grain or block size. */
  readonly blockSize?: number;
  readonly subformat?: string;
  /** Of the guest's view of the disk; absent for formats that are not opened. */
  readonly partitionTable?: PartitionTable;
  /** File system that fills the disk, when there is no partition table. */
  readonly filesystem?: string;
  /** Firmware the disk can start with, and what says so. */
  readonly firmware: readonly FirmwareHint[];
  /** Image properties under Glance's names that follow from the content; suggestions, never overwrite a user's. */
  readonly properties: Readonly<Record<string, string>>;
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
  /** Facts of the format under stable snake_case names, as JSON values (facts section 14). */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface InspectOptions {
  /** What the owner says it is: disk_format, or container_format where that is `ova` or `docker`. */
  readonly declared?: FormatName;
  /** Bytes; a larger virtual size refuses. */
  readonly maxVirtualSize?: number;
  /** Safety checks whose findings only warn (policy.ts, SAFETY_CHECKS). */
  readonly nonfatal?: readonly string[];
  /** Ends the inspection with the signal's reason before the next read. */
  readonly signal?: AbortSignal;
}

/**
 * Inspects an object. Hostile content ends in findings, never in an exception.
 * @throws what the source throws, and the signal's reason
 */
export async function inspect(source: ByteSource, options: InspectOptions = {}): Promise<Inspection> {
  const { declared, maxVirtualSize, signal } = options;
  signal?.throwIfAborted();
  const window = await probeWindow(source);
  const seen = windowedSource(source, window, signal);
  const matches = MODULES.filter((module) => module.probe(window)).map((module) => module.format);
  const choice = chooseFormat(matches, declared);
  const { facts, findings: parsed } = await parse(moduleOf(choice.format), seen, window);
  const findings = [
    ...(source.size === 0 ? [finding('empty', 'the object has no bytes')] : []),
    ...choice.findings,
    ...parsed,
    ...sizeFindings(facts.virtualSize, maxVirtualSize),
  ];
  const guest = verdictOf(choice.format, findings) === 'accept' ? await lookInside(choice.format, seen) : NOTHING;
  const all = tolerated([...findings, ...guest.findings], options.nonfatal);
  const firmware = [...(facts.firmware ?? []), ...guest.firmware];
  return {
    format: choice.format,
    matches,
    ...(declared === undefined ? {} : { declared }),
    virtualSize: facts.virtualSize ?? null,
    fileSize: source.size,
    ...(facts.allocatedBytes === undefined ? {} : { allocatedBytes: facts.allocatedBytes }),
    ...(facts.blockSize === undefined ? {} : { blockSize: facts.blockSize }),
    ...(facts.subformat === undefined ? {} : { subformat: facts.subformat }),
    ...(guest.partitionTable === undefined ? {} : { partitionTable: guest.partitionTable }),
    ...(guest.filesystem === undefined ? {} : { filesystem: guest.filesystem }),
    firmware,
    properties: propertyHints(facts.details, firmware),
    findings: all,
    verdict: verdictOf(choice.format, all),
    details: facts.details,
  };
}

/**
 * The checks that an inspection leaves out because they read every byte: digests of an appliance above 512 MiB. Hostile content
 * ends in findings.
 * @param format what `inspect` found
 * @throws what the source throws
 */
export async function verifyWhole(source: ByteSource, format: FormatName): Promise<readonly Finding[]> {
  try {
    return (await moduleOf(format)?.verify?.(source)) ?? [];
  } catch (error) {
    return [asFinding(error)];
  }
}

interface Parsed {
  readonly facts: Pick<
    FormatFacts,
    'virtualSize' | 'allocatedBytes' | 'blockSize' | 'subformat' | 'firmware' | 'details'
  >;
  readonly findings: readonly Finding[];
}

/** Facts of the chosen format; what its parser throws about the content becomes a finding. */
async function parse(module: FormatModule | undefined, source: ByteSource, window: ProbeWindow): Promise<Parsed> {
  // A declared bare format without a parser of its own is bytes of that length.
  if (module === undefined) return { facts: { virtualSize: source.size, details: {} }, findings: [] };
  if (source.size === 0) return { facts: { virtualSize: 0, details: {} }, findings: [] };
  try {
    const facts = await module.inspect(source, window);
    return { facts, findings: facts.findings };
  } catch (error) {
    return { facts: { details: {} }, findings: [asFinding(error)] };
  }
}

function sizeFindings(virtualSize: number | undefined, limit: number | undefined): Finding[] {
  if (virtualSize === undefined || limit === undefined || virtualSize <= limit) return [];
  return [finding('virtual_size_limit', `virtual size ${virtualSize} is above the limit of ${limit} bytes`)];
}

interface GuestFacts {
  readonly partitionTable?: PartitionTable;
  readonly filesystem?: string;
  readonly firmware: readonly FirmwareHint[];
  readonly findings: readonly Finding[];
}

const NOTHING: GuestFacts = { firmware: [], findings: [] };

/** The guest's view: a format header inside a disk (nested image), partition table, file system. */
async function lookInside(format: FormatName, source: ByteSource): Promise<GuestFacts> {
  const module = moduleOf(format);
  if (module?.disk !== true || module.open === undefined) return NOTHING;
  try {
    return await guestFacts(format, await module.open(source));
  } catch (error) {
    return { ...NOTHING, findings: [asFinding(error)] };
  }
}

async function guestFacts(format: FormatName, image: DiskImage): Promise<GuestFacts> {
  if (image.virtualSize === 0) return { ...NOTHING, findings: [finding('empty', 'the disk has no bytes')] };
  const disk = imageSource(image);
  const window = await probeWindow(disk);
  const nested = traitsOf(format).bare === true ? [] : nestedFormats(window);
  const partitionTable = await readPartitionTable(windowedSource(disk, window));
  const filesystem = partitionTable.kind === 'none' ? filesystemOf(window.head)?.filesystem : undefined;
  return {
    partitionTable,
    ...(filesystem === undefined ? {} : { filesystem }),
    firmware: firmwareHints(partitionTable),
    findings: [
      ...partitionTable.findings,
      ...nested.map((inner) =>
        finding('nested_format', `the disk inside is itself ${inner}: converted to raw it would be taken for that`),
      ),
    ],
  };
}

/** Structured formats that the guest's own bytes match. */
function nestedFormats(window: ProbeWindow): FormatName[] {
  const matches = MODULES.filter((module) => module.probe(window)).map((module) => module.format);
  const { format, findings } = chooseFormat(matches, 'raw');
  return findings.length === 0 ? [] : [format];
}
