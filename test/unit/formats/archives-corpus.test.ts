import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { dockerModule } from '../../../formats/docker/module.ts';
import { filesystemOf } from '../../../formats/filesystem/filesystem.ts';
import type { FormatModule } from '../../../formats/image.ts';
import { isoModule } from '../../../formats/iso/module.ts';
import { akiModule, ariModule } from '../../../formats/kernel/module.ts';
import { luksModule } from '../../../formats/luks/module.ts';
import { innerEngine } from '../../../formats/ova/inner-engine.ts';
import { ovaModule } from '../../../formats/ova/module.ts';
import { firmwareHints, readPartitionTable } from '../../../formats/partitions.ts';
import { raw } from '../../../formats/raw/module.ts';
import { MODULES } from '../../../formats/registry.ts';
import { memorySource } from '../../../formats/source.ts';
import { cowdModule, qcow1Module, qedModule, sesparseModule } from '../../../formats/unsupported/module.ts';
import { probeWindow } from '../../../formats/window.ts';
import { bzip2Module, gzipModule, xzModule, zipModule, zstdModule } from '../../../formats/wrappers/module.ts';
import { type CorpusRow, corpusBytes, corpusRows } from './corpus-rows.ts';

/** Every module of this part, with whatever readers of disks the engine has for the disk inside an OVA. */
const mine: readonly FormatModule[] = [
  isoModule,
  dockerModule,
  luksModule,
  akiModule,
  ariModule,
  qedModule,
  qcow1Module,
  cowdModule,
  sesparseModule,
  gzipModule,
  xzModule,
  zstdModule,
  bzip2Module,
  zipModule,
];
const others = MODULES.filter((module) => !['raw', 'ova', ...mine.map(({ format }) => format)].includes(module.format));
const inner: readonly FormatModule[] = [...others, ...mine, raw];
const modules: readonly FormatModule[] = [ovaModule(innerEngine(() => inner)), ...mine];
const readsVmdk = others.some((module) => module.format === 'vmdk');

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
      if (row.virtual_size !== null && (row.format !== 'ova' || readsVmdk)) {
        expect(facts.virtualSize).toBe(row.virtual_size);
      }
    }
  });

  it.skipIf(row.verdict !== 'accept' || (row.format === 'ova' && !readsVmdk))('reads as the corpus says', async () => {
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
  const known = facts.filter(([name]) => name !== 'disk_format' || readsVmdk);
  return Object.fromEntries(known.map(([name, value]) => [RENAMED[name] ?? name, value]));
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
  it.each(corpusRows('qcow2').filter((row) => row.name.includes('qcow1')))(
    '$name is named and refused',
    async (row) => {
      const source = memorySource(corpusBytes(row));
      const window = await probeWindow(source);

      expect(modules.filter((module) => module.probe(window))).toEqual([qcow1Module]);
      expect((await qcow1Module.inspect(source, window)).findings).toMatchObject([{ code: 'unsupported_format' }]);
    },
  );
});
