/** Peak memory of the program, as the kernel counted it: bounded whatever the image. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { corpusBytes, corpusRows } from '../formats/corpus-rows.ts';

const CLI = fileURLToPath(new URL('../../../cli/bin.mjs', import.meta.url));
const REPORT = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => process._rawDebug('peak', process.resourceUsage().maxRSS))",
)}`;
const MIB = 1024 * 1024;
const dir = mkdtempSync(join(tmpdir(), 'glimpse-memory-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const RUNS = 3;

/**
 * Peak resident bytes, the least of three runs at most: a peak also holds what the collector had not come to, which is more on a busy
 * machine and never less than what is needed. The first run that is within `enough` answers.
 */
function leastPeak(enough: number, ...args: readonly string[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS && least > enough; run++) least = Math.min(least, peak(...args));
  return least;
}

/** Peak resident bytes of one run. */
function peak(...args: readonly string[]): number {
  const { stderr } = spawnSync(process.execPath, ['--import', REPORT, CLI, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * MIB,
  });
  const kib = /^peak (\d+)$/mu.exec(stderr)?.[1];
  if (kib === undefined) throw new Error(`glimpse ${args.join(' ')}: ${stderr}`);
  return Number(kib) * 1024;
}

/** A disk of text and noise in turn, 64 KiB each. */
function writeDisk(path: string, size: number): void {
  const descriptor = openSync(path, 'w');
  const chunk = Buffer.alloc(MIB);
  for (let at = 0; at < size; at += MIB) {
    chunk.fill(`text at ${at} `);
    for (let noise = 0; noise < MIB / 2; noise += 64) {
      const block = Math.floor(noise / 65_536) * 131_072 + (noise % 65_536);
      createHash('sha512')
        .update(`${at + noise}`)
        .digest()
        .copy(chunk, block);
    }
    writeSync(descriptor, chunk);
  }
  closeSync(descriptor);
}

describe('memory', () => {
  const rows = corpusRows();

  it.skipIf(rows.length === 0)(
    'of an inspection of every image of the corpus (skipped without it), one after another, grows by at most 128 MiB',
    () => {
      writeFileSync(join(dir, 'small.img'), Buffer.alloc(4096));
      const base = peak('inspect', join(dir, 'small.img'));
      const folder = mkdtempSync(join(dir, 'corpus-'));
      for (const [number, row] of rows.entries()) writeFileSync(join(folder, `${number}.img`), corpusBytes(row));
      const files = readdirSync(folder).map((name) => join(folder, name));

      expect(leastPeak(base + 128 * MIB, 'inspect', '--json', ...files) - base).toBeLessThanOrEqual(128 * MIB);
      rmSync(folder, { recursive: true });
    },
  );

  it('of a conversion stays within 256 MiB, however many threads are asked for', () => {
    const raw = join(dir, 'data.raw');
    const big = join(dir, 'clusters.qcow2');
    const out = join(dir, 'out');
    const threads = ['--threads', '16'];
    writeDisk(raw, 96 * MIB);

    const peaks = {
      bigClusters: leastPeak(
        256 * MIB,
        'convert',
        ...threads,
        '-O',
        'qcow2',
        '--compress',
        'zstd',
        '--cluster-size',
        '2M',
        raw,
        big,
      ),
      backToRaw: leastPeak(256 * MIB, 'convert', ...threads, big, out),
      recompressed: leastPeak(256 * MIB, 'convert', ...threads, '-O', 'vmdk', big, out),
      grainsToRaw: leastPeak(256 * MIB, 'convert', ...threads, out, raw),
    };

    for (const [name, bytes] of Object.entries(peaks)) expect(bytes, name).toBeLessThanOrEqual(256 * MIB);
  });
});
