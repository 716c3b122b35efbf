import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormatModule } from '../../../../formats/engine/image.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { cowdModule, qcow1Module, qedModule, sesparseModule } from '../../../../formats/unsupported/module.ts';
import { bzip2Module, gzipModule, xzModule, zipModule, zstdModule } from '../../../../formats/wrappers/module.ts';

const WRAPPERS = [gzipModule, xzModule, zstdModule, bzip2Module, zipModule];
const text = (latin1: string) => Buffer.from(latin1, 'latin1');

async function inspect(module: FormatModule, bytes: Uint8Array) {
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
    const facts = await inspect(module, bytes);

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

    expect(await inspect(xzModule, stream)).toMatchObject({ findings: [{}], details: { check: name } });
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

    expect((await inspect(gzipModule, named)).details).toMatchObject({ original_name: 'disk.raw' });
  });

  it.each<[string, FormatModule, Buffer]>([
    ['gzip with reserved flags', gzipModule, Buffer.concat([text('\x1f\x8b\x08\xff'), Buffer.alloc(30)])],
    ['gzip of ten bytes', gzipModule, gzipSync('').subarray(0, 10)],
    ['xz without its footer', xzModule, XZ.subarray(0, -1)],
    ['xz with an unknown check', xzModule, text(`\xfd7zXZ\0\0\x03${'.'.repeat(40)}YZ`)],
    ['zstd with the reserved bit', zstdModule, Buffer.concat([text('\x28\xb5\x2f\xfd\x08'), Buffer.alloc(30)])],
  ])('%s is refused', async (_, module, bytes) => {
    expect((await inspect(module, bytes)).findings).toContainEqual(
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
        const facts = await inspect(WRAPPERS[i]!, Buffer.concat([text(magics[i]!), noise]));
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
    expect((await inspect(module, bytes)).findings).toMatchObject([{ code: 'unsupported_format', severity: 'refuse' }]);
    expect(module.open).toBeUndefined();
  });

  it('is not qcow2', () => {
    const head = text('QFI\xfb\0\0\0\x03');

    expect(qcow1Module.probe({ head, tail: head, size: 8 })).toBe(false);
  });
});
