import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FormatName } from '../../../formats/engine/image.ts';
import { memorySource } from '../../../formats/engine/source.ts';
import { type Inspection, inspect } from '../../../formats/inspect.ts';
import { openImage } from '../../../formats/registry.ts';
import { effortOf } from '../../support/effort.ts';
import type { CorpusRow } from './corpus-rows.ts';

/**
 * The whole engine on whole images: a representative set in the repository (made with qemu-img, see expected.json), and
 * every row of the corpus where it is present.
 */
const FIXTURES = join(import.meta.dirname, '../../fixtures/formats/engine');
const CORPUS = process.env['GLIMPSE_CORPUS'] ?? join(import.meta.dirname, '../../../../shared/corpus');
const MIB = 1024 * 1024;

/** Names of the manifest where the engine's are finer. */
const FORMAT: Readonly<Record<string, readonly FormatName[]>> = {
  compressed: ['gzip'],
  ami: ['ami', 'raw'],
};
const FORMAT_OF_ROW: Readonly<Record<string, readonly FormatName[]>> = { 'other/qcow1.img': ['qcow1'] };

/** Facts of an inspection under the manifest's names. */
function factsOf(inspection: Inspection): Record<string, unknown> {
  const { partitionTable, firmware } = inspection;
  return {
    virtual_size: inspection.virtualSize,
    filesystem: inspection.filesystem,
    partition_table: partitionTable?.kind,
    partitions: partitionTable?.partitions.length,
    esp: firmware.some((hint) => hint.firmware === 'uefi'),
    boot: firmware[0]?.firmware,
    hw_firmware_type_hint: firmware[0]?.firmware,
    hw_disk_bus_hint: inspection.properties['hw_disk_bus'],
    ...inspection.details,
  };
}

async function expansion(bytes: Uint8Array, format: FormatName): Promise<string> {
  const image = await openImage(memorySource(bytes), format);
  const hash = createHash('sha256');
  for (let at = 0; at < image.virtualSize; at += 16 * MIB) {
    const slice = new Uint8Array(Math.min(16 * MIB, image.virtualSize - at));
    await image.readInto(at, slice, true);
    hash.update(slice);
  }
  return hash.digest('hex');
}

function behaves(row: CorpusRow, bytesOf: () => Uint8Array): void {
  it(row.name, async () => {
    const bytes = bytesOf();
    let inspected: Inspection | undefined;
    const effort = await effortOf(async () => {
      inspected = await inspect(memorySource(bytes));
    });
    const inspection = inspected as unknown as Inspection;

    const { note: _, ...expected } = row.inspect ?? {};
    expect(FORMAT_OF_ROW[row.name] ?? FORMAT[row.format] ?? [row.format]).toContain(inspection.format);
    if (!row.verdict.includes('-or-')) expect(inspection.verdict).toBe(row.verdict);
    if (row.virtual_size !== null) expect(inspection.virtualSize).toBe(row.virtual_size);
    expect(factsOf(inspection)).toMatchObject(expected);
    expect(effort).toBeLessThan(500);
    if (inspection.verdict === 'accept' && row.raw_sha256 !== undefined) {
      expect(await expansion(bytes, inspection.format)).toBe(row.raw_sha256);
    }
    if (inspection.verdict === 'refuse' && !opensAnyway(row))
      await expect(openImage(memorySource(bytes), inspection.format)).rejects.toThrow();
  });
}

/** No bytes are raw bytes, and digests are verified by inspection: opening does not judge these. */
function opensAnyway(row: CorpusRow): boolean {
  return row.name === 'raw/empty.raw' || row.name === 'ova/bad-digest.ova';
}

describe('images in the repository', () => {
  for (const row of JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as CorpusRow[]) {
    behaves(row, () => gunzipSync(readFileSync(join(FIXTURES, row.file))));
  }
});

const manifest = join(CORPUS, 'manifest.json');
describe.skipIf(!existsSync(manifest))('every image of the corpus', () => {
  if (!existsSync(manifest)) {
    process.stdout.write(`skipped: no corpus at ${CORPUS} (set GLIMPSE_CORPUS)\n`);
    return;
  }
  for (const row of (JSON.parse(readFileSync(manifest, 'utf8')) as { files: CorpusRow[] }).files) {
    behaves(row, () => gunzipSync(readFileSync(join(CORPUS, row.file))));
  }
});
