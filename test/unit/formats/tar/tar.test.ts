import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../formats/engine/errors.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { memberSource, readMember, readTarDirectory, visibleNames } from '../../../../formats/tar/directory.ts';
import { isTarHeader, parseTarHeader } from '../../../../formats/tar/header.ts';
import { tarKind } from '../../../../formats/tar/kind.ts';
import { linkTarget } from '../../../../formats/tar/name.ts';
import { checksummed, paxRecord, tar, tarHeader } from '../archive-builders.ts';

const list = async (bytes: Uint8Array) => [...(await readTarDirectory(memorySource(bytes))).values()];
const refusal = (bytes: Uint8Array) => list(bytes).catch((error: unknown) => error as { kind: string; code?: string });

describe('the directory of a tar', () => {
  it('finds members as ranges of the object, in order', async () => {
    const bytes = tar(
      { name: './a.ovf', data: 'first' },
      { name: 'dir/', type: '5' },
      { name: 'dir/b', data: 'second' },
    );

    const members = await list(bytes);

    expect(members.map(({ name, kind, start, size }) => [name, kind, start, size])).toEqual([
      ['a.ovf', 'file', 512, 5],
      ['dir', 'directory', 1536, 0],
      ['dir/b', 'file', 2048, 6],
    ]);
    expect(Buffer.from(await readMember(memorySource(bytes), members[2]!, 100)).toString()).toBe('second');
  });

  it('takes names and sizes from pax records', async () => {
    const name = `${'long/'.repeat(60)}disk.vmdk`;
    const pax = paxRecord('path', name) + paxRecord('size', '3');
    const bytes = tar(
      { name: 'PaxHeader', type: 'x', data: pax },
      { name: 'short', data: 'abc', sizeField: Buffer.from('00000000777\0') },
    );

    const members = await list(bytes);

    expect(members).toMatchObject([{ name, size: 3 }]);
  });

  it('applies global pax records to every member and local ones to the next only', async () => {
    const bytes = tar(
      { name: 'g', type: 'g', data: paxRecord('comment', 'x') },
      { name: 'x', type: 'x', data: paxRecord('path', 'renamed') },
      { name: 'a', data: '1' },
      { name: 'b', data: '2' },
    );

    expect((await list(bytes)).map(({ name }) => name)).toEqual(['renamed', 'b']);
  });

  it('applies all global pax records, later ones over earlier ones, and local ones over both', async () => {
    const bytes = tar(
      { name: 'g', type: 'g', data: paxRecord('linkpath', 'of-all') },
      { name: 'g', type: 'g', data: paxRecord('size', '3') },
      { name: 'a', type: '2', link: 'own' },
      { name: 'x', type: 'x', data: paxRecord('linkpath', 'of-one') },
      { name: 'b', data: 'abc', sizeField: Buffer.from('00000000777\0') },
      { name: 'c', data: 'abc' },
      { name: 'g', type: 'g', data: paxRecord('linkpath', 'later') },
      { name: 'd', data: 'abc' },
    );

    expect((await list(bytes)).map(({ name, linkName, size }) => [name, linkName, size])).toEqual([
      ['a', 'of-all', 0],
      ['b', 'of-one', 3],
      ['c', 'of-all', 3],
      ['d', 'later', 3],
    ]);
  });

  it.each([
    ['0', 'file', 3],
    ['7', 'file', 3],
    ['S', 'sparse', 3],
    // Of a kind that nobody knows the data are skipped, not read as headers.
    ['Z', 'other', 3],
    ['1', 'hardlink', 0],
    ['2', 'symlink', 0],
    ['3', 'device', 0],
    ['4', 'device', 0],
    ['5', 'directory', 0],
    ['6', 'device', 0],
  ])('a member of type %s is a %s, whose data have %i bytes', async (type, kind, size) => {
    const data = size === 0 ? {} : { data: 'abc' };
    const sizeField = Buffer.from('00000000003\0');
    const bytes = tar({ name: 'a', type, link: 'b', ...data, sizeField }, { name: 'b', data: 'x' });

    expect(await list(bytes)).toMatchObject([
      { name: 'a', kind, size, linkName: 'b' },
      { name: 'b', kind: 'file' },
    ]);
  });

  it("the archive's own folder is a member", async () => {
    expect(await list(tar({ name: './', type: '5' }, { name: './a', data: 'b' }))).toMatchObject([
      { name: '.' },
      { name: 'a' },
    ]);
  });

  it('records without a blank are none', async () => {
    expect(await refusal(tar({ name: 'x', type: 'x', data: '11path=abc\n' }, { name: 'a' }))).toMatchObject({
      message: expect.stringContaining('pax record at 0 has no length'),
    });
  });

  it('folders may repeat', async () => {
    expect(await list(tar({ name: 'dir/', type: '5' }, { name: 'dir', type: '5' }))).toHaveLength(1);
  });

  it.each([
    ['file', 'folder', '0', '5'],
    ['folder', 'file', '5', '0'],
  ])('a %s and a %s of one name are refused', async (_, __, first, second) => {
    const bytes = tar({ name: 'a', type: first }, { name: 'a', type: second });

    expect(await refusal(bytes)).toMatchObject({ code: 'tar_duplicate' });
  });

  it('a member without data may be the last block of the object', async () => {
    expect(await list(tarHeader({ name: 'a' }, 0))).toMatchObject([{ name: 'a', size: 0 }]);
  });

  it('takes long names and links of GNU archives, up to the first NUL', async () => {
    const bytes = tar(
      { name: '././@LongLink', type: 'L', data: 'name\0and what stood there before\0\n' },
      { name: '././@LongLink', type: 'K', data: 'target\0' },
      { name: 'cut', type: '2', link: 'cut' },
    );

    expect(await list(bytes)).toMatchObject([{ name: 'name', linkName: 'target' }]);
  });

  it('takes long names of GNU archives', async () => {
    const name = 'n'.repeat(300);
    const bytes = tar({ name: '././@LongLink', type: 'L', data: `${name}\0` }, { name: 'cut', data: 'abc' });

    expect(await list(bytes)).toMatchObject([{ name, size: 3 }]);
  });

  it('joins the ustar prefix and reads base-256 sizes', async () => {
    const size = Buffer.alloc(12);
    size[0] = 0x80;
    size[11] = 3;
    const header = tarHeader({ name: 'disk', sizeField: size }, 0);
    header.write('folder', 345);
    const bytes = Buffer.concat([checksummed(header), Buffer.from('abc'), Buffer.alloc(509 + 1024)]);

    expect(await list(bytes)).toMatchObject([{ name: 'folder/disk', size: 3 }]);
  });

  it('accepts a V7 header, which has no magic', () => {
    const header = tarHeader({ name: 'old' }, 0);
    header.fill(0, 257, 265);

    expect(isTarHeader(checksummed(header))).toBe(true);
    expect(isTarHeader(Buffer.alloc(512))).toBe(false);
  });

  it('ends at the end of the object when the zero blocks are missing', async () => {
    const bytes = tar({ name: 'a', data: 'x' });

    expect(await list(bytes.subarray(0, 1024))).toHaveLength(1);
  });

  it('reads few and large ranges of an archive of many small members', async () => {
    const source = memorySource(tar(...Array.from({ length: 200 }, (_, i) => ({ name: `f${i}`, data: 'x' }))));
    let reads = 0;
    const counting = {
      ...source,
      read(offset: number, length: number) {
        reads++;
        return source.read(offset, length);
      },
    };

    await readTarDirectory(counting);

    expect(reads).toBeLessThanOrEqual(5);
  });
});

describe('a tar that must be refused', () => {
  const negative = Buffer.alloc(12, 0xff);
  const huge = Buffer.alloc(12, 0x7f);
  huge[0] = 0x80;
  it.each([
    ['a name with ..', tar({ name: 'a/../../b' }), 'tar_unsafe_name'],
    ['an absolute name', tar({ name: '/etc/passwd' }), 'tar_unsafe_name'],
    ['a backslash', tar({ name: 'a\\b' }), 'tar_unsafe_name'],
    ['a drive letter', tar({ name: 'C:x' }), 'tar_unsafe_name'],
    [
      'a pax path that leaves',
      tar({ name: 'x', type: 'x', data: paxRecord('path', '../b') }, { name: 'a' }),
      'tar_unsafe_name',
    ],
    ['a name twice', tar({ name: 'a' }, { name: './a' }), 'tar_duplicate'],
    ['a member past the end', tar({ name: 'a', sizeField: Buffer.from('00001000000\0') }), 'Truncated'],
    ['a negative size', tar({ name: 'a', sizeField: negative }), 'Corrupt'],
    ['a size above 2^53', tar({ name: 'a', sizeField: huge }), 'LimitExceeded'],
    ['a size that is no number', tar({ name: 'a', sizeField: Buffer.from('12x\0') }), 'Corrupt'],
    ['a pax header above 64 KiB', tar({ name: 'x', type: 'x', data: Buffer.alloc(70_000, 0x31) }), 'LimitExceeded'],
    ['a pax record whose length lies', tar({ name: 'x', type: 'x', data: '99 path=a\n' }, { name: 'a' }), 'Corrupt'],
    ['a pax record of length zero', tar({ name: 'x', type: 'x', data: '0 path=a\n' }, { name: 'a' }), 'Corrupt'],
    [
      'a pax size that is no number',
      tar({ name: 'x', type: 'x', data: paxRecord('size', '1e9') }, { name: 'a' }),
      'Corrupt',
    ],
    ['more than 1000 members', tar(...Array.from({ length: 1001 }, (_, i) => ({ name: `f${i}` }))), 'LimitExceeded'],
    [
      'endless extended headers',
      tar(...Array.from({ length: 4001 }, () => ({ name: 'g', type: 'g', data: '' }))),
      'LimitExceeded',
    ],
    ['a wrong checksum', Buffer.alloc(1024, 0x41), 'Corrupt'],
    ['no members', Buffer.alloc(1024), 'Corrupt'],
  ])('%s', async (_, bytes, expected) => {
    const error = await refusal(bytes);

    expect(error).toBeInstanceOf(FormatError);
    expect([(error as { code?: string }).code, (error as { kind: string }).kind]).toContain(expected);
  });

  it.each(['1', '2', '3', '4', '6', 'S'])('data of a member of type %s', async (type) => {
    const bytes = tar({ name: 'disk', type, link: 'elsewhere' });
    const [member] = await list(bytes);

    expect(() => memberSource(memorySource(bytes), member!)).toThrow(
      expect.objectContaining({ code: 'tar_unsafe_member' }),
    );
  });

  it('data of a member with GNU.sparse pax records', async () => {
    const bytes = tar(
      { name: 'x', type: 'x', data: paxRecord('GNU.sparse.major', '1') },
      { name: 'disk', data: 'abc' },
    );
    const [member] = await list(bytes);

    expect(member?.kind).toBe('sparse');
  });
});

describe('a header', () => {
  const good = tarHeader({ name: 'a', data: '' }, 3);
  /** The same with some bytes, and its checksum right again. */
  const withBytes = (at: number, bytes: string): Buffer => {
    const block = Buffer.from(good);
    block.write(bytes, at, 'latin1');
    return checksummed(block);
  };
  const v7 = (at: number, bytes: string): Buffer => {
    const block = Buffer.from(good).fill(0, 257, 265);
    block.write(bytes, at, 'latin1');
    return checksummed(block);
  };
  /** A sum of signed bytes, as very old writers made it. */
  const signed = (): Buffer => {
    const block = withBytes(0, '\xe9');
    const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0) - 256;
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return block;
  };

  it.each<[string, Buffer, boolean]>([
    ['as POSIX writes it', good, true],
    ['and what stands behind it', Buffer.concat([good, good]), true],
    ['as GNU writes it', withBytes(257, 'ustar  \0'), true],
    ['of V7', v7(0, 'a'), true],
    ['of V7 with blanks around its numbers', v7(100, ' 644  \0\0'), true],
    ['with a sum of signed bytes', signed(), true],
    ['without its last byte', good.subarray(0, 511), false],
    ['without a name', withBytes(0, '\0'), false],
    ['with another sum', Buffer.from(good).fill('b', 0, 1), false],
    ['with a sum that is no number', Buffer.from(good).fill('z', 148, 154), false],
    ['of V7 whose mode is no number', v7(100, '99'), false],
    ['of V7 whose owner is no number', v7(108, 'x'), false],
    ['of V7 whose group is no number', v7(116, '8'), false],
    ['of V7 whose size is no number', v7(124, '-'), false],
    ['of V7 without a mode', v7(100, '\0\0\0\0\0\0\0\0'), false],
    ['of zeros', Buffer.alloc(512), false],
  ])('%s: %#', (_, block, isOne) => {
    expect(isTarHeader(block)).toBe(isOne);
  });

  it.each<[string, Buffer, object]>([
    ['with another sum', Buffer.from(good).fill('b', 0, 1), { kind: 'Corrupt', message: /at 512: wrong checksum/ }],
    ['of a size that is no number', withBytes(124, '9'), { kind: 'Corrupt', message: /size is not an octal number/ }],
    ['of a negative size', withBytes(124, '\xff'), { kind: 'Corrupt', message: /size is negative or above 2\^88/ }],
    [
      'of a size of 2^53',
      withBytes(124, '\x80\0\0\0\0\x20\0\0\0\0\0\0'),
      { kind: 'LimitExceeded', message: /size: 9007199254740992 is not below 2\^53/ },
    ],
  ])('%s is refused with its place', (_, block, { kind, message }: { kind?: string; message?: RegExp }) => {
    expect(() => parseTarHeader(block, 512)).toThrow(
      expect.objectContaining({ name: kind, message: expect.stringMatching(message ?? /./) }),
    );
  });

  it('of a size below 2^53 is taken, and an empty size is none', () => {
    expect(parseTarHeader(withBytes(124, '\x80\0\0\0\0\x1f\xff\xff\xff\xff\xff\xff'), 0).size).toBe(2 ** 53 - 1);
    expect(parseTarHeader(withBytes(124, ' '.repeat(11)), 0).size).toBe(0);
  });

  it('tells the parts of its name, its link and its type', () => {
    const block = withBytes(345, 'the/prefix');
    expect(parseTarHeader(block, 0)).toEqual({ name: 'the/prefix/a', size: 3, typeflag: '0', linkName: '' });
    const gnu = withBytes(257, 'ustar  \0');
    gnu.write('no prefix', 345, 'latin1');
    expect(parseTarHeader(checksummed(gnu), 0).name).toBe('a');
    const full = tarHeader({ name: 'n'.repeat(100), type: '\0', link: 'l'.repeat(100) }, 0);
    expect(parseTarHeader(full, 0)).toMatchObject({ name: 'n'.repeat(100), typeflag: '0', linkName: 'l'.repeat(100) });
  });
});

describe('names that are visible at a glance', () => {
  const small = [
    { name: 'x', type: 'x', data: paxRecord('comment', 'y') },
    { name: 'a', data: 'z'.repeat(600) },
    { name: 'b' },
    { name: 'c', data: 'end' },
  ];
  const bytes = tar(...small);
  const HEADERS = { a: 1024, b: 2560, c: 3072 };

  it.each([
    ['nothing', 0, []],
    ['less than a header', 511, []],
    ['the header of a member that says more of the next', 512, []],
    ['less than all of the next header', HEADERS.a + 511, []],
    ['one header', HEADERS.a + 512, ['a']],
    ['a header behind data', HEADERS.b + 512, ['a', 'b']],
    ['a header behind no data', HEADERS.c + 512, ['a', 'b', 'c']],
    ['the whole archive', bytes.length, ['a', 'b', 'c']],
  ])('in %s', (_, length, names) => {
    expect(visibleNames(bytes.subarray(0, length))).toEqual(names);
  });

  it.each([
    ['is none', Buffer.alloc(512, 7)],
    ['has a size that is no number', tarHeader({ name: 'b', sizeField: Buffer.from('99999999999\0') }, 0)],
  ])('are those before a header that %s', (_, block) => {
    const first = tarHeader({ name: 'a' }, 0);
    expect(visibleNames(Buffer.concat([first, block, tarHeader({ name: 'c' }, 0)]))).toEqual(['a']);
  });
});

describe('link targets', () => {
  it('resolve inside the archive', () => {
    expect(linkTarget('id/layer.tar', '../other.tar', false)).toBe('other.tar');
    expect(linkTarget('id/layer.tar', 'other.tar', true)).toBe('other.tar');
  });

  it.each(['../../x', '/x', 'a\\b'])('refuse %s', (target) => {
    expect(() => linkTarget('id/layer.tar', target, false)).toThrow(
      expect.objectContaining({ code: 'tar_unsafe_name' }),
    );
  });
});

describe('what a tar is', () => {
  const kind = (bytes: Uint8Array) => tarKind({ head: bytes, tail: bytes.subarray(-1536), size: bytes.length });
  it.each([
    ['an OVF first', tar({ name: 'vm.ovf' }, { name: 'vm.vmdk' }), 'ova'],
    ['an OVF later', tar({ name: 'vm.vmdk' }, { name: 'vm.ovf' }), 'ova'],
    ['a disk alone', tar({ name: 'vm-disk1.vmdk' }), 'ova'],
    ['a docker manifest', tar({ name: 'manifest.json' }), 'docker'],
    ['blobs', tar({ name: './blobs/sha256/00' }), 'docker'],
    ['a root filesystem', tar({ name: 'etc/hostname' }), 'docker'],
    ['no tar', Buffer.alloc(2048, 1), undefined],
  ])('%s', (_, bytes, expected) => {
    expect(kind(bytes)).toBe(expected);
  });
});

describe('hostile archives', () => {
  const seed = tar(
    { name: 'x', type: 'x', data: paxRecord('path', 'long name') },
    { name: 'a', data: 'x'.repeat(700) },
    { name: 'L', type: 'L', data: 'another name\0' },
    { name: 'b', data: 'y' },
  );
  const patches = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });

  it('end in a directory or a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(patches, fc.nat(seed.length), async (changes, cut) => {
        const bytes = Buffer.from(seed.subarray(0, cut > 256 ? cut : seed.length));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        for (let at = 0; at + 512 <= bytes.length; at += 512)
          if (bytes[at] !== 0) checksummed(bytes.subarray(at, at + 512));
        visibleNames(bytes);
        const members = await list(bytes).catch((error: unknown) => {
          if (!(error instanceof FormatError)) throw error;
          return [];
        });
        for (const member of members) expect(member.start + member.size).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});
