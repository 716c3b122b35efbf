import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormatModule } from '../../../../formats/engine/image.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { inspect } from '../../../../formats/inspect.ts';
import {
  archiveModules,
  cowdModule,
  dmgModule,
  qcow1Module,
  qedModule,
  sesparseModule,
} from '../../../../formats/unsupported/module.ts';
import {
  bzip2Module,
  gzipModule,
  packedModules,
  xzModule,
  zipModule,
  zstdModule,
} from '../../../../formats/wrappers/module.ts';

const WRAPPERS = [gzipModule, xzModule, zstdModule, bzip2Module, zipModule];
const text = (latin1: string) => Buffer.from(latin1, 'latin1');

async function inspectAs(module: FormatModule, bytes: Uint8Array) {
  const source = memorySource(bytes);
  return module.inspect(source, await probeWindow(source));
}

const XZ = text(`\xfd7zXZ\0\0\x04${'.'.repeat(40)}YZ`);
const BZIP2 = text('BZh91AY&SY...............');
const ZIP = Buffer.concat([text(`PK\x03\x04${'.'.repeat(60)}PK\x05\x06\0\0\0\0\x01\0\x01\0`), Buffer.alloc(10)]);

describe('a compression wrapper', () => {
  it.each<[string, FormatModule, Buffer, Record<string, unknown>]>([
    ['gzip', gzipModule, gzipSync('hello'), { compression: 'gzip', size_hint: 5 }],
    [
      'zstd of a known size',
      zstdModule,
      zstdCompressSync(Buffer.alloc(70_000)),
      { compression: 'zstd', size_hint: 70_000 },
    ],
    ['xz', xzModule, XZ, { compression: 'xz', check: 'crc64' }],
    ['bzip2', bzip2Module, BZIP2, { compression: 'bzip2', block_size: 900_000 }],
    ['zip', zipModule, ZIP, { compression: 'zip', members: 1 }],
  ])('%s is named, alone among its kind, and not opened', async (_, module, bytes, details) => {
    const window = await probeWindow(memorySource(bytes));
    const facts = await inspectAs(module, bytes);

    expect(WRAPPERS.filter((each) => each.probe(window))).toEqual([module]);
    expect(facts.findings).toMatchObject([{ code: 'compressed_wrapper', severity: 'info' }]);
    expect(facts.details).toEqual(details);
    expect(module.open).toBeUndefined();
  });

  it.each<[string, FormatModule, string, boolean]>([
    ['the smallest block', bzip2Module, 'BZh11AY&SY', true],
    ['an empty stream', bzip2Module, 'BZh9\x17rE8P\x90', true],
    ['no block size', bzip2Module, 'BZh01AY&SY', false],
    ['a block size above nine', bzip2Module, 'BZh:1AY&SY', false],
    ['no block and no end', bzip2Module, 'BZh9 1AY&S', false],
    ['a block of something else', bzip2Module, 'BZx91AY&SY', false],
    ['another version of zip', zipModule, 'PK\x05\x06', false],
    ['xz without its last magic byte', xzModule, '\xfd7zXZ\x01', false],
  ])('is told by its first bytes: %s', async (_, module, head, is) => {
    expect(module.probe(await probeWindow(memorySource(text(head.padEnd(64, '.')))))).toBe(is);
  });

  it.each([
    [0, 'none'],
    [1, 'crc32'],
    [4, 'crc64'],
    [10, 'sha256'],
  ])('tells the check of xz: %d is %s', async (check, name) => {
    const stream = text(`\xfd7zXZ\0\0${String.fromCharCode(check)}${'.'.repeat(40)}YZ`);

    expect(await inspectAs(xzModule, stream)).toMatchObject({ findings: [{}], details: { check: name } });
  });

  it.each<[string, FormatModule, Buffer, Record<string, unknown>, number]>([
    ['xz with padding', xzModule, text(`${XZ.toString('latin1')}\0\0\0\0`), { compression: 'xz', check: 'crc64' }, 1],
    ['xz with zeros within', xzModule, text(`\xfd7zXZ\0\0\x04..Y\0\0Z`), { compression: 'xz', check: 'crc64' }, 2],
    ['xz of unknown flags', xzModule, text(`\xfd7zXZ\0\x01\x04${'.'.repeat(40)}YZ`), { compression: 'xz' }, 2],
    [
      'the shortest gzip',
      gzipModule,
      Buffer.concat([text('\x1f\x8b\x08'), Buffer.alloc(15)]),
      { compression: 'gzip', size_hint: 0 },
      1,
    ],
    [
      'a gzip of a byte less',
      gzipModule,
      Buffer.concat([text('\x1f\x8b\x08'), Buffer.alloc(14)]),
      { compression: 'gzip' },
      2,
    ],
    ['a zip without an end record', zipModule, text(`PK\x03\x04${'.'.repeat(60)}`), { compression: 'zip' }, 1],
    ['a zip whose end record is cut', zipModule, ZIP.subarray(0, -1), { compression: 'zip' }, 1],
    [
      'a zip of its end record alone',
      zipModule,
      Buffer.concat([text('PK\x05\x06\0\0\0\0\x02\0\x03\0'), Buffer.alloc(10)]),
      { compression: 'zip', members: 3 },
      1,
    ],
  ])('%s', async (_, module, bytes, details, findings) => {
    const facts = await module.inspect(memorySource(bytes), { head: bytes, tail: bytes, size: bytes.length });

    expect(facts.details).toStrictEqual(details);
    expect(facts.findings).toHaveLength(findings);
  });

  it.each(WRAPPERS.map((module) => [module.format, module] as const))('%s says what it may find', (_, module) => {
    expect(module.safetyRules).toEqual(['compressed_wrapper', 'corrupt']);
  });

  it('tells the name that gzip keeps', async () => {
    const named = Buffer.concat([text('\x1f\x8b\x08\x08\0\0\0\0\0\x03disk.raw\0'), Buffer.alloc(20)]);

    expect((await inspectAs(gzipModule, named)).details).toMatchObject({ original_name: 'disk.raw' });
  });

  it.each<[string, FormatModule, Buffer]>([
    ['gzip with reserved flags', gzipModule, Buffer.concat([text('\x1f\x8b\x08\xff'), Buffer.alloc(30)])],
    ['gzip of ten bytes', gzipModule, gzipSync('').subarray(0, 10)],
    ['xz without its footer', xzModule, XZ.subarray(0, -1)],
    ['xz with an unknown check', xzModule, text(`\xfd7zXZ\0\0\x03${'.'.repeat(40)}YZ`)],
    ['zstd with the reserved bit', zstdModule, Buffer.concat([text('\x28\xb5\x2f\xfd\x08'), Buffer.alloc(30)])],
  ])('%s is refused', async (_, module, bytes) => {
    expect((await inspectAs(module, bytes)).findings).toContainEqual(
      expect.objectContaining({ code: 'corrupt', severity: 'refuse' }),
    );
  });

  it('of a ramdisk is an ARI', async () => {
    const window = await probeWindow(memorySource(gzipSync('070701 and so on')));

    expect(WRAPPERS.filter((each) => each.probe(window))).toEqual([]);
  });

  it('gives facts whatever follows its magic', async () => {
    const magics = ['\x1f\x8b\x08', '\xfd7zXZ\0', '\x28\xb5\x2f\xfd', 'BZh', 'PK\x03\x04'];
    await fc.assert(
      fc.asyncProperty(fc.nat(4), fc.uint8Array({ maxLength: 2000 }), async (i, noise) => {
        const facts = await inspectAs(WRAPPERS[i]!, Buffer.concat([text(magics[i]!), noise]));
        expect(facts.format).toBe(WRAPPERS[i]!.format);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a format that is never accepted', () => {
  it.each<[string, FormatModule, Buffer]>([
    ['QED', qedModule, text('QED\0')],
    ['qcow version 1', qcow1Module, text('QFI\xfb\0\0\0\x01')],
    ['COWD', cowdModule, text('COWD\x01\0\0\0')],
    ['seSparse', sesparseModule, text('\xbe\xba\xfe\xca\0\0\0\0')],
  ])('%s is named and refused', async (_, module, bytes) => {
    const modules = [qedModule, qcow1Module, cowdModule, sesparseModule];
    const window = await probeWindow(memorySource(bytes));

    expect(modules.filter((each) => each.probe(window))).toEqual([module]);
    expect((await inspectAs(module, bytes)).findings).toMatchObject([
      { code: 'unsupported_format', severity: 'refuse' },
    ]);
    expect(module.open).toBeUndefined();
  });

  it('is not qcow2', () => {
    const head = text('QFI\xfb\0\0\0\x03');

    expect(qcow1Module.probe({ head, tail: head, size: 8 })).toBe(false);
  });
});

describe('what is compressed by something that no import takes off', () => {
  const lzma = (dictionary: number, size: bigint, first = 0) => {
    const head = Buffer.alloc(40, 0xee);
    head[0] = 0x5d;
    head.writeUInt32LE(dictionary, 1);
    head.writeBigUInt64LE(size, 5);
    head[13] = first;
    return head;
  };
  const UNKNOWN = 2n ** 64n - 1n;
  const behind = '.'.repeat(40);

  it.each<[string, string, Buffer]>([
    ['lzma', 'of an unknown length', lzma(8 << 20, UNKNOWN)],
    ['lzma', 'of a known length', lzma(3 << 18, 1n << 30n)],
    ['lz4', 'frames', text(`\x04\x22\x4d\x18${behind}`)],
    ['lz4', 'of a kernel', text(`\x02\x21\x4c\x18${behind}`)],
    ['lzop', '', text(`\x89LZO\0\r\n\x1a\n${behind}`)],
    ['lzip', '', text(`LZIP\x01\x0c${behind}`)],
    ['compress', '', text(`\x1f\x9d\x90${behind}`)],
  ])('%s %s is named, is no raw disk, and may be a kernel or a ramdisk', async (format, _, bytes) => {
    const source = memorySource(bytes);

    expect(await inspect(source)).toMatchObject({
      format,
      matches: [format],
      verdict: 'accept-opaque',
      findings: [{ code: 'compressed_wrapper', message: `${format} data: stored as it is` }],
    });
    expect(await inspect(source, { declared: 'raw' })).toMatchObject({ verdict: 'refuse' });
    expect((await inspect(source, { declared: 'ari' })).findings).not.toContainEqual(
      expect.objectContaining({ code: 'format_mismatch' }),
    );
  });

  it.each<[string, Buffer]>([
    ['.lzma, with a dictionary of an odd size', lzma(4097, UNKNOWN)],
    ['.lzma, with a dictionary of nothing', lzma(0, UNKNOWN)],
    ['.lzma, of 256 GiB', lzma(8 << 20, 1n << 38n)],
    ['.lzma, of nothing', lzma(8 << 20, 0n)],
    ['.lzma, whose coded bytes do not begin with zero', lzma(8 << 20, UNKNOWN, 1)],
    ['.lzma, cut off', lzma(8 << 20, UNKNOWN).subarray(0, 13)],
    ['.Z, with reserved bits', text(`\x1f\x9d\xf0${behind}`)],
    ['.Z, with codes of 17 bits', text(`\x1f\x9d\x91${behind}`)],
    ['.Z, with codes of 8 bits', text(`\x1f\x9d\x88${behind}`)],
  ])('is not %s', async (_, bytes) => {
    expect((await inspect(memorySource(bytes))).matches).toEqual([]);
  });
});

describe('an archive or a backup that holds a disk', () => {
  const dmg = Buffer.alloc(4096);
  dmg.write('koly\0\0\0\x04\0\0\x02\0', 4096 - 512, 'latin1');

  it.each<[string, Buffer]>([
    ['7z', text("7z\xbc\xaf'\x1c\0\x04")],
    ['rar', text('Rar!\x1a\x07\x01\0')],
    ['android-sparse', text('\x3a\xff\x26\xed\x01\0\0\0')],
    ['dmg', dmg],
    ['wim', text('MSWIM\0\0\0\xd0\0\0\0')],
    ['vma', text('VMA\0\0\0\0\x01')],
    ['ntfsclone', text('\0ntfsclone-image\x0a\x01')],
  ])('%s is named and refused, declared or not', async (format, bytes) => {
    const source = memorySource(Buffer.concat([bytes, bytes.length < 512 ? Buffer.alloc(1024) : Buffer.alloc(0)]));
    for (const options of [{}, { declared: 'raw' }, { declared: 'ari' }] as const) {
      const { matches, verdict, findings } = await inspect(source, options);

      expect({ matches, verdict }).toEqual({ matches: [format], verdict: 'refuse' });
      expect(findings).toContainEqual(expect.objectContaining({ code: 'unsupported_format' }));
    }
  });

  it('is every one that is registered', () => {
    expect([...archiveModules, dmgModule].map(({ format }) => format).sort()).toEqual(
      ['7z', 'rar', 'android-sparse', 'dmg', 'wim', 'vma', 'ntfsclone'].sort(),
    );
    expect(packedModules.map(({ format }) => format)).toEqual(['lzma', 'lz4', 'lzop', 'lzip', 'compress']);
  });
});
