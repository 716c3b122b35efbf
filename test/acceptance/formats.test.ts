import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { halfCompressible } from '../../bench/data.ts';

/** Conversions beside qemu-img: what it writes we read, what we write it checks and finds identical. */
const BIN = join(import.meta.dirname, '../../cli/bin.mjs');
const MIB = 1024 * 1024;
const qemuImg = spawnSync('qemu-img', ['--version']).status === 0;
if (!qemuImg) process.stdout.write('skipped: qemu-img is not installed\n');

let dir: string;
const at = (name: string): string => join(dir, name);
const qemu = (...args: readonly string[]): string => execFileSync('qemu-img', args, { encoding: 'utf8' });
function glimpse(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

/** 96 MiB with text, noise, zeros that are stored, and holes. */
function makeDisk(path: string): void {
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, 96 * MIB + 512);
  const chunk = Buffer.alloc(MIB);
  for (let n = 0; n < 96; n += 3) {
    if (n % 4 === 0) chunk.fill(`megabyte ${n} `);
    else if (n % 4 === 1) halfCompressible(chunk, n);
    else chunk.fill(0);
    writeSync(descriptor, chunk, 0, MIB, n * MIB + 12_345);
  }
  closeSync(descriptor);
}

describe.skipIf(!qemuImg)('conversions beside qemu-img (skipped without it: the package qemu-utils)', () => {
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'glimpse-formats-'));
    makeDisk(at('disk.raw'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const sources: readonly (readonly string[])[] = [
    ['-O', 'qcow2'],
    ['-O', 'qcow2', '-o', 'compat=0.10'],
    ['-O', 'qcow2', '-o', 'cluster_size=512'],
    ['-O', 'qcow2', '-o', 'cluster_size=2M'],
    ['-O', 'qcow2', '-o', 'extended_l2=on'],
    ['-O', 'qcow2', '-o', 'lazy_refcounts=on,refcount_bits=1'],
    ['-O', 'qcow2', '-o', 'preallocation=metadata'],
    ['-c', '-O', 'qcow2'],
    ['-c', '-O', 'qcow2', '-o', 'compression_type=zstd,cluster_size=4k'],
    ['-c', '-O', 'qcow2', '-o', 'compression_type=zstd,cluster_size=2M'],
    ['-O', 'vmdk'],
    ['-O', 'vmdk', '-o', 'subformat=streamOptimized'],
    ['-O', 'vpc', '-o', 'force_size=on'],
    ['-O', 'vhdx'],
    ['-O', 'vdi'],
    ['-O', 'parallels'],
  ];

  it.each(sources.map((args) => [args.join(' '), args] as const))('reads %s', (_name, args) => {
    qemu('convert', '-f', 'raw', ...args, at('disk.raw'), at('source'));

    glimpse('convert', '--threads', '2', at('source'), at('ours.raw'));

    expect(qemu('compare', '-f', 'raw', '-F', 'raw', at('disk.raw'), at('ours.raw'))).toContain('identical');
    expect(statSync(at('ours.raw')).blocks).toBeLessThanOrEqual(statSync(at('disk.raw')).blocks + 64);
  });

  const clusters = ['512', '4k', '64k', '2M'];
  const compressions: readonly (readonly string[])[] = [[], ['--compress', 'zlib'], ['--compress', 'zstd']];
  const targets = clusters.flatMap((size) => compressions.map((how) => ['--cluster-size', size, ...how]));

  it.each(targets.map((args) => [args.join(' '), args] as const))('writes qcow2 %s', (_name, args) => {
    glimpse('convert', '-O', 'qcow2', '--threads', '2', ...args, at('disk.raw'), at('ours.qcow2'));

    expect(qemu('check', '-f', 'qcow2', at('ours.qcow2'))).toContain('No errors were found');
    expect(qemu('compare', '-f', 'raw', '-F', 'qcow2', at('disk.raw'), at('ours.qcow2'))).toContain('identical');
  });

  it('writes VMDK streamOptimized', () => {
    glimpse('convert', '-O', 'vmdk', at('disk.raw'), at('ours.vmdk'));

    expect(qemu('compare', '-f', 'raw', '-F', 'vmdk', at('disk.raw'), at('ours.vmdk'))).toContain('identical');
    expect(qemu('info', '-f', 'vmdk', at('ours.vmdk'))).toContain('streamOptimized');
  });

  it('is at most 2 % larger than what qemu-img compresses', () => {
    for (const [format, ours, theirs] of [
      ['qcow2', ['--compress', 'zlib'], ['-c']],
      ['vmdk', [], ['-o', 'subformat=streamOptimized']],
    ] as const) {
      glimpse('convert', '-O', format, ...ours, at('disk.raw'), at('ours.out'));
      qemu('convert', '-O', format, ...theirs, at('disk.raw'), at('qemu.out'));
      expect(statSync(at('ours.out')).size / statSync(at('qemu.out')).size).toBeLessThan(1.02);
    }
  });
});
