import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FormatModule } from '../../../formats/engine/image.ts';
import { ploop } from '../../../formats/ploop/module.ts';
import { vdi } from '../../../formats/vdi/module.ts';
import { vhd } from '../../../formats/vhd/module.ts';
import { vhdx } from '../../../formats/vhdx/module.ts';
import { vmdk } from '../../../formats/vmdk/module.ts';
import { type CorpusRow, corpusBytes, corpusRows } from './corpus-rows.ts';
import { countingSource, inspected, opened } from './disk-contract.ts';

/** Images that other software wrote: some in the repository, all of them where the corpus is. */
const MODULES: Readonly<Record<string, FormatModule>> = { vmdk, vhd, vhdx, vdi, ploop };
const FIXTURES = join(import.meta.dirname, '../../fixtures/formats/disks');
const fixtures = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as CorpusRow[];
const MiB = 1024 * 1024;

function behaves(row: CorpusRow, bytesOf: () => Uint8Array): void {
  const module = MODULES[row.format]!;

  it('is judged as expected, with its facts', async () => {
    const facts = await inspected(module, bytesOf());
    const refused = facts.findings.filter(({ severity }) => severity === 'refuse').map(({ code }) => code);
    const { note: _, ...expected } = row.inspect ?? {};

    if (row.verdict === 'accept') expect(refused).toEqual([]);
    if (row.verdict === 'refuse') expect(row.reasons).toContain(refused[0]);
    if (row.verdict === 'refuse-or-exact' && refused.length > 0) expect(row.reasons).toContain(refused[0]);
    expect(facts.details).toMatchObject(expected);
    if (row.verdict === 'accept') expect(facts.virtualSize).toBe(row.virtual_size);
  });

  const openable = row.verdict !== 'refuse' && row.name !== 'ploop/in-use.hdd';

  if (row.verdict !== 'accept')
    it('is not opened unless it was accepted', async () => {
      const facts = await inspected(module, bytesOf());
      const refused = facts.findings.some(({ severity }) => severity === 'refuse');
      const outcome = await opened(module, bytesOf()).then(
        () => 'opened',
        () => 'refused',
      );

      expect(outcome).toBe(refused ? 'refused' : 'opened');
    });

  if (openable)
    it('expands exactly, with few reads', async () => {
      const { source, reads } = countingSource(bytesOf());
      const image = await module.open!(source);
      reads.length = 0;
      const hash = createHash('sha256');
      for (let at = 0; at < image.virtualSize; at += 16 * MiB) {
        const slice = new Uint8Array(Math.min(16 * MiB, image.virtualSize - at));
        await image.readInto(at, slice, true);
        hash.update(slice);
      }

      expect(hash.digest('hex')).toBe(row.raw_sha256);
      expect(reads.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(image.virtualSize / (16 * MiB)));
    });
}

describe.each(fixtures)('fixture $name', (row) => {
  behaves(row, () => gunzipSync(readFileSync(join(FIXTURES, row.file))));
});

describe.each(corpusRows(...Object.keys(MODULES)))('corpus $name', (row) => {
  behaves(row, () => corpusBytes(row));
});
