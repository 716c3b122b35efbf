import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { filesystemOf } from '../../../formats/engine/filesystem/filesystem.ts';
import { firmwareHints, readPartitionTable } from '../../../formats/engine/partitions.ts';
import { memorySource } from '../../../formats/engine/source.ts';
import { probeWindow } from '../../../formats/engine/window.ts';
import { MODULES } from '../../../formats/registry.ts';
import { type CorpusRow, corpusBytes, corpusRows } from './corpus-rows.ts';

/** Raw matches everything that nothing else does. */
const modules = MODULES.filter((module) => module.format !== 'raw');

/** Facts of the corpus that an inspection must state, under the names it states them by. */
const RENAMED: Readonly<Record<string, string>> = { hw_disk_bus_hint: 'hw_disk_bus' };

describe.each(corpusRows('iso', 'ova', 'docker', 'luks', 'aki', 'ari', 'qed', 'compressed'))('$name', (row) => {
  const source = memorySource(corpusBytes(row));

  it('is one format, judged as the corpus says', async () => {
    const window = await probeWindow(source);
    const matches = modules.filter((module) => module.probe(window));
    const facts = await matches[0]!.inspect(source, window);
    const refused = facts.findings.filter((found) => found.severity === 'refuse');

    expect(matches.map(({ format }) => format)).toEqual([row.format === 'compressed' ? 'gzip' : row.format]);
    if (row.verdict === 'refuse') {
      expect(refused.map(({ code }) => reasonOf(code))).toContain(row.reasons?.[0]);
    } else {
      expect(refused).toEqual([]);
      expect(facts.details).toMatchObject(expectedDetails(row));
      if (row.virtual_size !== null) {
        expect(facts.virtualSize).toBe(row.virtual_size);
      }
    }
  });

  if (row.verdict === 'accept')
    it('reads as the corpus says', async () => {
      const module = modules.find(({ format }) => format === row.format);
      const image = await module?.open?.(source);
      const bytes = new Uint8Array(image!.virtualSize);
      await image!.readInto(0, bytes);

      expect(createHash('sha256').update(bytes).digest('hex')).toBe(row.raw_sha256);
    });
});

function reasonOf(code: string): string {
  return code === 'unsupported_format' ? 'banned_format' : code;
}

function expectedDetails(row: CorpusRow): Record<string, unknown> {
  const facts = Object.entries(row.inspect ?? {}).filter(([name]) => name !== 'virtual_size');
  return Object.fromEntries(facts.map(([name, value]) => [RENAMED[name] ?? name, value]));
}

describe.each(corpusRows('raw', 'ami').filter((row) => row.verdict === 'accept'))('partitions of $name', (row) => {
  it('are read without a finding that refuses', async () => {
    const bytes = corpusBytes(row);
    const table = await readPartitionTable(memorySource(bytes));
    const firmware = firmwareHints(table).map((hint) => hint.firmware);

    expect(table.findings.filter((found) => found.severity !== 'info')).toEqual([]);
    expect(table.kind).toBe(row.inspect?.['partition_table'] ?? 'none');
    expect(table.partitions).toHaveLength(Number(row.inspect?.['partitions'] ?? 0));
    expect(filesystemOf(bytes)?.filesystem).toBe(row.inspect?.['filesystem']);
    const boot = row.inspect?.['boot'] ?? row.inspect?.['hw_firmware_type_hint'];
    expect(firmware).toEqual(boot === undefined ? [] : [boot]);
  });
});

describe('the old qcow of the corpus', () => {
  const rows = corpusRows('qcow2').filter((row) => row.name.includes('qcow1'));

  it.skipIf(rows.length === 0)('is named and refused', async () => {
    for (const row of rows) {
      const source = memorySource(corpusBytes(row));
      const window = await probeWindow(source);

      expect(modules.filter((module) => module.probe(window))).toMatchObject([{ format: 'qcow1' }]);
      expect((await modules.find(({ format }) => format === 'qcow1')!.inspect(source, window)).findings).toMatchObject([
        { code: 'unsupported_format' },
      ]);
    }
  });
});
