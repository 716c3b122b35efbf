import type { Inspection } from '../formats/inspect.ts';
import { humanBytes } from './human.ts';
import { printable } from './printable.ts';

/** The JSON line of `glimpse inspect --json`: snake_case, stable names; absent facts are absent. */
export function inspectionJson(file: string, inspection: Inspection): Record<string, unknown> {
  const { partitionTable, details } = inspection;
  return {
    file,
    format: inspection.format,
    matches: inspection.matches,
    declared: inspection.declared ?? null,
    virtual_size: inspection.virtualSize,
    file_size: inspection.fileSize,
    allocated_bytes: inspection.allocatedBytes,
    block_size: inspection.blockSize,
    subformat: inspection.subformat,
    verdict: inspection.verdict,
    findings: inspection.findings,
    partition_table: partitionTable && {
      kind: partitionTable.kind,
      sector_size: partitionTable.sectorSize,
      partitions: partitionTable.partitions,
    },
    filesystem: inspection.filesystem,
    firmware: inspection.firmware,
    properties: inspection.properties,
    details,
  };
}

/** The same for people: one block of lines per file. */
export function inspectionTable(file: string, inspection: Inspection): string {
  const size = inspection.virtualSize;
  const rows: [string, string | undefined][] = [
    ['format', [inspection.format, inspection.subformat].filter(Boolean).join(' ')],
    ['matches', inspection.matches.length > 1 ? inspection.matches.join(', ') : undefined],
    ['declared', inspection.declared],
    ['virtual size', size === null ? 'unknown' : humanBytes(size)],
    ['file size', humanBytes(inspection.fileSize)],
    ['allocated', inspection.allocatedBytes === undefined ? undefined : humanBytes(inspection.allocatedBytes)],
    ['block size', inspection.blockSize === undefined ? undefined : humanBytes(inspection.blockSize)],
    ['partitions', partitions(inspection)],
    ['file system', inspection.filesystem],
    ...inspection.firmware.map((hint): [string, string] => ['firmware', `${hint.firmware}: ${hint.evidence}`]),
    ...Object.entries(inspection.properties).map(([name, value]): [string, string] => ['property', `${name}=${value}`]),
    ...inspection.findings.map((found): [string, string] => [found.severity, `${found.code}: ${found.message}`]),
    ['verdict', inspection.verdict],
  ];
  const lines = rows.filter(([, value]) => value !== undefined).map(([name, value]) => `  ${name.padEnd(13)} ${value}`);
  return `${printable(file)}\n${lines.map(printable).join('\n')}\n`;
}

function partitions({ partitionTable }: Inspection): string | undefined {
  if (partitionTable === undefined || partitionTable.kind === 'none') return undefined;
  const list = partitionTable.partitions.map((part) => `${part.index} ${part.typeName} ${humanBytes(part.size)}`);
  return `${partitionTable.kind} (${list.join(', ')})`;
}
