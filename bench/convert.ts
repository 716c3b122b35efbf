/**
 * Conversion speed beside qemu-img in the same run: `node bench/convert.ts [--dir DIR] [--runs N] [--size MiB] [ROW...]`.
 * Every row runs both programs in turn on the same warm file, N times, and compares medians; our process's start-up is
 * printed and allowed on top. Needs qemu-img.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { halfCompressible } from './data.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dir: { type: 'string', default: tmpdir() },
    runs: { type: 'string', default: '5' },
    size: { type: 'string', default: '2048' },
  },
});
const RUNS = Number(values.runs);
const MIB = 1024 * 1024;
const VIRTUAL = Number(values.size) * MIB;
const CLI = fileURLToPath(new URL('../cli/bin.mjs', import.meta.url));
const dir = mkdtempSync(join(values.dir, 'glimpse-bench-'));
const at = (name: string): string => join(dir, name);

/** Start-up that the comparison allows on top, in seconds. */
const ALLOWANCE = 0.2;

interface Row {
  readonly name: string;
  readonly source: string;
  /** At most this times qemu-img's wall time. */
  readonly limit: number;
  readonly qemu: readonly string[];
  readonly ours: readonly string[];
  /** Result size at most this times qemu-img's. */
  readonly sizeLimit?: number;
}

/** Sources made by qemu-img: name → arguments of convert. */
const SOURCES: Readonly<Record<string, readonly string[]>> = {
  'plain.qcow2': ['-O', 'qcow2'],
  'zlib.qcow2': ['-c', '-O', 'qcow2'],
  'zstd.qcow2': ['-c', '-O', 'qcow2', '-o', 'compression_type=zstd'],
  'stream.vmdk': ['-O', 'vmdk', '-o', 'subformat=streamOptimized'],
  'dynamic.vhd': ['-O', 'vpc', '-o', 'force_size=on'],
  'dynamic.vdi': ['-O', 'vdi'],
  'dynamic.vhdx': ['-O', 'vhdx'],
};

const RAW = ['-O', 'raw'];
const ROWS: readonly Row[] = [
  { name: 'qcow2 zlib → raw', source: 'zlib.qcow2', limit: 0.45, qemu: RAW, ours: RAW },
  { name: 'vmdk streamOptimized → raw', source: 'stream.vmdk', limit: 0.4, qemu: RAW, ours: RAW },
  { name: 'qcow2 zstd → raw', source: 'zstd.qcow2', limit: 1, qemu: RAW, ours: RAW },
  { name: 'qcow2 plain → raw', source: 'plain.qcow2', limit: 1.3, qemu: RAW, ours: RAW },
  { name: 'vhd → raw', source: 'dynamic.vhd', limit: 1.3, qemu: RAW, ours: RAW },
  { name: 'vdi → raw', source: 'dynamic.vdi', limit: 1.3, qemu: RAW, ours: RAW },
  { name: 'vhdx → raw', source: 'dynamic.vhdx', limit: 1.3, qemu: RAW, ours: RAW },
  { name: 'raw → qcow2 plain', source: 'data.raw', limit: 1.3, qemu: ['-O', 'qcow2'], ours: ['-O', 'qcow2'] },
  {
    name: 'raw → qcow2 zlib',
    source: 'data.raw',
    limit: 0.35,
    qemu: ['-c', '-O', 'qcow2'],
    ours: ['-O', 'qcow2', '--compress', 'zlib'],
    sizeLimit: 1.02,
  },
  {
    name: 'raw → vmdk streamOptimized',
    source: 'data.raw',
    limit: 0.35,
    qemu: ['-O', 'vmdk', '-o', 'subformat=streamOptimized'],
    ours: ['-O', 'vmdk'],
    sizeLimit: 1.02,
  },
  {
    name: 'raw → vhd dynamic',
    source: 'data.raw',
    limit: 1.3,
    qemu: ['-O', 'vpc', '-o', 'force_size=on'],
    ours: ['-O', 'vhd'],
  },
  { name: 'raw → vhdx', source: 'data.raw', limit: 1.3, qemu: ['-O', 'vhdx'], ours: ['-O', 'vhdx'] },
  { name: '20 GiB / 200 MiB plain → raw', source: 'sparse.qcow2', limit: 1.2, qemu: RAW, ours: RAW },
  { name: '20 GiB / 200 MiB zlib → raw', source: 'sparse-zlib.qcow2', limit: 1.2, qemu: RAW, ours: RAW },
];

/** A raw file of `size` bytes with data in every `step`-th MiB, until `dataBytes` are written. */
function makeRaw(path: string, size: number, dataBytes: number, step: number): void {
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, size);
  const chunk = Buffer.alloc(MIB);
  for (let n = 0; n * MIB < dataBytes; n++) {
    halfCompressible(chunk, n);
    writeSync(descriptor, chunk, 0, MIB, n * step * MIB);
  }
  closeSync(descriptor);
}

function makeSources(rows: readonly Row[]): void {
  const wanted = new Set(rows.map((row) => row.source));
  makeRaw(at('data.raw'), VIRTUAL, VIRTUAL / 2, 2);
  for (const [name, args] of Object.entries(SOURCES)) {
    if (wanted.has(name)) execFileSync('qemu-img', ['convert', '-f', 'raw', ...args, at('data.raw'), at(name)]);
  }
  if (!wanted.has('sparse.qcow2') && !wanted.has('sparse-zlib.qcow2')) return;
  makeRaw(at('sparse.raw'), 20 * 1024 * MIB, 200 * MIB, 100);
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', at('sparse.raw'), at('sparse.qcow2')]);
  execFileSync('qemu-img', ['convert', '-c', '-f', 'raw', '-O', 'qcow2', at('sparse.raw'), at('sparse-zlib.qcow2')]);
  rmSync(at('sparse.raw'));
}

/**
 * Wall seconds of one run. The program's last output is removed just before: the kernel gives it those pages again, not ones that
 * another program left, and has less to write out meanwhile.
 */
function timed(command: string, args: readonly string[], output: string): number {
  rmSync(output, { force: true });
  const start = performance.now();
  const { status, stderr } = spawnSync(command, [...args, output], { encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return seconds;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function startUp(): number {
  const tiny = at('tiny.raw');
  makeRaw(tiny, MIB, MIB, 1);
  return median(Array.from({ length: 5 }, () => timed(process.execPath, [CLI, 'convert', tiny], at('tiny.out'))));
}

function runRow(row: Row): boolean {
  const source = at(row.source);
  const qemu: number[] = [];
  const ours: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    qemu.push(timed('qemu-img', ['convert', ...row.qemu, source], at('qemu.out')));
    ours.push(timed(process.execPath, [CLI, 'convert', ...row.ours, source], at('ours.out')));
  }
  const ratio = (median(ours) - ALLOWANCE) / median(qemu);
  const size = statSync(at('ours.out')).size / statSync(at('qemu.out')).size;
  for (const name of ['qemu.out', 'ours.out']) rmSync(at(name));
  const wide = Array.from({ length: RUNS }, () =>
    timed('qemu-img', ['convert', '-m', '16', '-W', ...row.qemu, source], at('wide.out')),
  );
  rmSync(at('wide.out'));
  const passed = ratio <= row.limit && size <= (row.sizeLimit ?? Number.POSITIVE_INFINITY);
  const cells = [
    row.name.padEnd(30),
    median(qemu).toFixed(2).padStart(8),
    median(wide).toFixed(2).padStart(8),
    median(ours).toFixed(2).padStart(8),
    ratio.toFixed(2).padStart(7),
    row.limit.toFixed(2).padStart(7),
    row.sizeLimit === undefined ? '' : `size × ${size.toFixed(3)}`,
    passed ? '' : 'MISSED',
  ];
  console.log(cells.join(' '));
  return passed;
}

try {
  const rows = ROWS.filter((row) => positionals.length === 0 || positionals.some((word) => row.name.includes(word)));
  makeSources(rows);
  const version = execFileSync('qemu-img', ['--version'], { encoding: 'utf8' }).split('\n')[0];
  console.log(`${version}, node ${process.versions.node}, ${availableParallelism()} processors, median of ${RUNS}`);
  console.log(`start-up ${startUp().toFixed(2)} s (${ALLOWANCE} s allowed on top of each row)`);
  console.log(`${''.padEnd(30)}     qemu  -m16 -W     ours   ratio   limit`);
  const results = rows.map((row) => runRow(row));
  console.log(`${results.filter(Boolean).length} of ${results.length} rows within their limits`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
