import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockTime, humanBytes, shortBytes } from '../../../cli/human.ts';
import { paintDisk } from '../../../cli/picture.ts';
import { iso } from '../formats/iso/iso-builder.ts';

const BIN = join(import.meta.dirname, '../../../cli/bin.mjs');
const FIXTURES = join(import.meta.dirname, '../../fixtures/formats/engine');
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'glimpse-cli-'));
  for (const file of readdirSync(FIXTURES)) {
    if (!file.endsWith('.gz')) continue;
    writeFileSync(join(dir, file.slice(0, -3)), gunzipSync(readFileSync(join(FIXTURES, file))));
  }
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function glimpse(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', cwd: dir });
  return { status, stdout, stderr };
}

describe('glimpse', () => {
  it.each(['inspect', 'convert', 'map', 'metadefs', 'imports', 'image'])('%s is the command of that name', (name) => {
    const { status, stdout } = glimpse(name, '--help');

    expect(stdout).toMatch(new RegExp(`^Usage: glimpse ${name} `, 'u'));
    expect(status).toBe(0);
  });

  it.each(['--help', 'help'])('%s knows of all commands', (word) => {
    const { stdout } = glimpse(word);

    for (const name of ['inspect', 'convert', 'map', 'metadefs', 'imports', 'image'])
      expect(stdout).toContain(`  ${name} `);
  });

  it('suggests the command that a wrong one may mean', () => {
    expect(glimpse('metadef').stderr).toContain('Did you mean metadefs?');
  });

  it('inspect loads nothing of other commands, no writer and no client', () => {
    const tell = `import { registerHooks } from 'node:module';
      registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });`;
    const hook = `data:text/javascript,${encodeURIComponent(tell)}`;
    const { stderr } = spawnSync(process.execPath, ['--import', hook, BIN, 'inspect', join(dir, 'raw-gpt.raw')], {
      encoding: 'utf8',
    });

    expect(stderr).toContain('cli/commands/inspect.ts');
    expect(stderr).not.toMatch(/cli\/commands\/(?!inspect)|cli\/convert|\/writers?\.ts|\/api\//u);
  });
});

describe('glimpse inspect', () => {
  it('prints one JSON line per file and nothing else', () => {
    const { status, stdout, stderr } = glimpse('inspect', '--json', 'qcow2-shrunk.qcow2', 'raw-gpt.raw');

    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(lines).toMatchObject([
      {
        file: 'qcow2-shrunk.qcow2',
        format: 'qcow2',
        matches: ['qcow2'],
        declared: null,
        virtual_size: 6_291_456,
        verdict: 'accept',
      },
      { file: 'raw-gpt.raw', format: 'raw', verdict: 'accept', partition_table: { kind: 'gpt' } },
    ]);
  });

  it('says it to people as well', () => {
    const { stdout } = glimpse('inspect', 'qcow2-dirty.qcow2');

    expect(stdout).toMatch(/verdict +accept/u);
    expect(stdout).toMatch(/virtual size +5 MiB \(5244416\)/u);
  });

  it.each([
    [['qcow2-backing-absolute.qcow2'], 3],
    [['qcow2-shrunk.qcow2', 'qcow2-data-file.qcow2'], 3],
    [['--format', 'raw', 'qcow2-shrunk.qcow2'], 3],
    [['--format', 'qcow2', 'qcow2-shrunk.qcow2'], 0],
    [['no-such-file'], 1],
    [['no-such-file', 'qcow2-data-file.qcow2'], 1],
    [['--format', 'floppy', 'raw-gpt.raw'], 2],
    [['--nonsense', 'raw-gpt.raw'], 2],
    [[], 2],
  ])('%j exits %i', (args, status) => {
    expect(glimpse('inspect', '--json', ...args).status).toBe(status);
  });
});

describe('glimpse convert', () => {
  it.each([1, 2])('makes the same sparse raw file with %i threads', (threads) => {
    const { status, stdout } = glimpse('convert', '--threads', String(threads), 'qcow2-grown.qcow2', 'grown.raw');

    const { size, blocks } = statSync(join(dir, 'grown.raw'));
    expect({ status, stdout, size }).toEqual({ status: 0, stdout: '', size: 314_572_800 });
    expect(blocks * 512).toBeLessThan(8 * 1024 * 1024);
    expect(glimpse('inspect', '--json', 'grown.raw').status).toBe(0);
  });

  it.each([
    ['qcow2', []],
    ['qcow2', ['--compress', 'zlib', '--cluster-size', '4k']],
    ['qcow2', ['--cluster-size', '2M']],
    ['qcow2', ['--compress', 'zstd']],
    ['vmdk', []],
    ['vhd', []],
    ['vpc', ['--subformat', 'fixed', '--whole-mib']],
    ['vhdx', []],
  ])('to %s %j and back gives the disk', (format, options) => {
    const there = glimpse('convert', '-O', format, '--threads', '2', ...options, 'raw-gpt.raw', `there.${format}`);
    const back = glimpse('convert', `there.${format}`, 'back.raw');

    expect([there, back]).toMatchObject([
      { status: 0, stderr: '' },
      { status: 0, stderr: '' },
    ]);
    expect(readFileSync(join(dir, 'back.raw')).equals(readFileSync(join(dir, 'raw-gpt.raw')))).toBe(true);
  });

  it.each([
    [['qcow2-backing-relative.qcow2', 'out'], 3],
    [['--format', 'raw', 'qcow2-shrunk.qcow2', 'out'], 3],
    [['--max-virtual-size', '1M', 'qcow2-shrunk.qcow2', 'out'], 3],
    [['no-such-file', 'out'], 1],
    [['raw-gpt.raw', 'no-such-folder/out'], 1],
    [['-O', 'vdi', 'raw-gpt.raw', 'out'], 2],
    [['-O', 'vhdx', '--subformat', 'fixed', 'raw-gpt.raw', 'out'], 2],
    [['-O', 'vhd', '--subformat', 'differencing', 'raw-gpt.raw', 'out'], 2],
    [['-O', 'qcow2', '--whole-mib', 'raw-gpt.raw', 'out'], 2],
    [['-O', 'vhd', '--compress', 'zlib', 'raw-gpt.raw', 'out'], 2],
    [['--cluster-size', '1000', 'raw-gpt.raw', 'out'], 2],
    [['--cluster-size', '4k', 'raw-gpt.raw', 'out'], 2],
    [['raw-gpt.raw', 'raw-gpt.raw'], 2],
    [['raw-gpt.raw'], 2],
  ])('%j exits %i and leaves nothing', (args, status) => {
    const before = readdirSync(dir).sort();

    const result = glimpse('convert', ...args);

    expect(result.status, result.stderr).toBe(status);
    expect(result.stderr).not.toBe('');
    expect(readdirSync(dir).sort()).toEqual(before);
  });

  it('leaves what stood at the output when the input turns out damaged half-way', () => {
    const damaged = readFileSync(join(dir, 'qcow2-v2-zlib.qcow2'));
    damaged.fill(0xff, damaged.length - 40_000, damaged.length - 20_000);
    writeFileSync(join(dir, 'damaged.qcow2'), damaged);
    writeFileSync(join(dir, 'kept.raw'), 'what was here');

    const { status, stderr } = glimpse('convert', '--threads', '2', 'damaged.qcow2', 'kept.raw');

    expect(status, stderr).toBe(3);
    expect(readFileSync(join(dir, 'kept.raw'), 'utf8')).toBe('what was here');
    expect(readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('an ISO, which is a disk as well', () => {
  const disc = iso({ platforms: [0, 0xef] });
  /** The boot record of a disc that starts from a stick, too. */
  const hybrid = Buffer.from(disc);
  hybrid.set([0x80, 0, 1, 0, 0x17, 0xff, 0xff, 0xff], 446);
  hybrid.writeUInt32LE(hybrid.length / 512, 458);
  hybrid.writeUInt16LE(0xaa55, 510);
  beforeAll(() => {
    writeFileSync(join(dir, 'disc.iso'), disc);
    writeFileSync(join(dir, 'hybrid.iso'), hybrid);
  });

  it.each([
    ['disc.iso', disc],
    ['hybrid.iso', hybrid],
  ])('%s is converted byte by byte, to raw and to qcow2, and mapped', (file, bytes) => {
    const raw = glimpse('convert', '--format', 'iso', file, `${file}.raw`);
    const qcow2 = glimpse('convert', '-O', 'qcow2', file, `${file}.qcow2`);
    const map = glimpse('map', '--json', file);

    expect([raw.status, qcow2.status, map.status], raw.stderr + qcow2.stderr + map.stderr).toEqual([0, 0, 0]);
    expect(readFileSync(join(dir, `${file}.raw`)).equals(bytes)).toBe(true);
    const { virtual_size, extents } = JSON.parse(map.stdout) as { virtual_size: number; extents: { kind: string }[] };
    expect(virtual_size).toBe(bytes.length);
    expect(extents.map(({ kind }) => kind)).toContain('data');
    expect(glimpse('inspect', '--json', `${file}.qcow2`).stdout).toContain(`"virtual_size":${bytes.length}`);
  });

  it('is refused when it was declared to be something else', () => {
    expect(glimpse('convert', '--format', 'raw', 'disc.iso', 'no.raw').status).toBe(3);
  });
});

describe('glimpse map', () => {
  it('prints extents that cover the disk', () => {
    const { status, stdout } = glimpse('map', '--json', 'qcow2-grown.qcow2');

    const map = JSON.parse(stdout) as {
      virtual_size: number;
      extents: { start: number; length: number; kind: string }[];
    };
    let at = 0;
    for (const extent of map.extents) {
      expect(extent.start).toBe(at);
      at += extent.length;
    }
    expect({ status, at }).toEqual({ status: 0, at: map.virtual_size });
    expect(new Set(map.extents.map((extent) => extent.kind))).toContain('hole');
  });

  it('refuses what is refused', () => {
    expect(glimpse('map', 'qcow2-backing-absolute.qcow2').status).toBe(3);
  });
});

describe('what people read', () => {
  it('sizes and times', () => {
    expect([shortBytes(0), shortBytes(1536), shortBytes(20 * 2 ** 30), humanBytes(1536)]).toEqual([
      '0 bytes',
      '1.5 KiB',
      '20 GiB',
      '1.5 KiB (1536)',
    ]);
    expect([clockTime(5), clockTime(65), clockTime(7265)]).toEqual(['0:05', '1:05', '2:01:05']);
  });

  it('a picture that fits the screen', async () => {
    const mib = 2 ** 20;
    async function* extents() {
      yield { start: 0, length: 10 * mib, allocated: true, zero: false, compressed: false };
      yield { start: 10 * mib, length: 10 * mib, allocated: true, zero: true, compressed: false };
      yield { start: 20 * mib, length: 80 * mib, allocated: false, zero: true, compressed: false };
    }

    const lines = (await paintDisk(extents(), 100 * mib, 51, 2)).trimEnd().split('\n');

    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe(`${'█'.repeat(10)}${'0'.repeat(10)}${'·'.repeat(30)}`);
    expect(lines[1]).toBe('·'.repeat(50));
  });
});
