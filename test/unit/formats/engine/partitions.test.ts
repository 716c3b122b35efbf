import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../formats/engine/errors.ts';
import { BIOS_BOOT_GUID, ESP_GUID, guidText } from '../../../../formats/engine/gpt/types.ts';
import { firmwareHints, readPartitionTable } from '../../../../formats/engine/partitions.ts';
import { memorySource } from '../../../../formats/engine/source.ts';

interface Entry {
  readonly flag?: number;
  readonly type: number;
  readonly first: number;
  readonly count: number;
  readonly chs?: readonly [number, number, number];
}

const MIB = 1024 * 1024;
const PROTECTIVE = { type: 0xee, first: 1, count: 2047, chs: [0, 2, 0] } as const;

function writeBootRecord(disk: Buffer, lba: number, ...entries: Entry[]): Buffer {
  const at = lba * 512;
  for (const [i, entry] of entries.entries()) {
    const base = at + 446 + 16 * i;
    disk[base] = entry.flag ?? 0;
    disk.set(entry.chs ?? [0xfe, 0xff, 0xff], base + 1);
    disk[base + 4] = entry.type;
    disk.writeUInt32LE(entry.first, base + 8);
    disk.writeUInt32LE(entry.count, base + 12);
  }
  disk.writeUInt16BE(0x55aa, at + 510);
  return disk;
}

const mbr = (...entries: Entry[]) => writeBootRecord(Buffer.alloc(MIB), 0, ...entries);

function guidBytes(text: string): Buffer {
  const hex = Buffer.from(text.replaceAll('-', ''), 'hex');
  return Buffer.concat([
    hex.subarray(0, 4).reverse(),
    hex.subarray(4, 6).reverse(),
    hex.subarray(6, 8).reverse(),
    hex.subarray(8),
  ]);
}

interface GptOptions {
  readonly sector?: number;
  readonly partitions?: readonly { type: string; first: number; last: number; name?: string; attributes?: number }[];
  readonly size?: number;
}

/** A whole GPT disk with primary and backup. */
function gpt({
  sector = 512,
  size = MIB,
  partitions = [{ type: ESP_GUID, first: 100, last: 199, name: 'boot' }],
}: GptOptions = {}): Buffer {
  const disk = writeBootRecord(Buffer.alloc(size), 0, PROTECTIVE);
  const entries = Buffer.alloc(128 * 128);
  for (const [i, part] of partitions.entries()) {
    entries.set(guidBytes(part.type), i * 128);
    entries.writeBigUInt64LE(BigInt(part.first), i * 128 + 32);
    entries.writeBigUInt64LE(BigInt(part.last), i * 128 + 40);
    entries[i * 128 + 48] = part.attributes ?? 0;
    entries.write(part.name ?? '', i * 128 + 56, 72, 'utf16le');
  }
  const last = size / sector - 1;
  const room = entries.length / sector;
  entries.copy(disk, 2 * sector);
  entries.copy(disk, (last - room) * sector);
  writeGptHeader(disk, sector, { my: 1, other: last, entriesLba: 2, room, last, entries });
  writeGptHeader(disk, sector, { my: last, other: 1, entriesLba: last - room, room, last, entries });
  return disk;
}

function writeGptHeader(
  disk: Buffer,
  sector: number,
  at: { my: number; other: number; entriesLba: number; room: number; last: number; entries: Buffer },
): void {
  const header = disk.subarray(at.my * sector, at.my * sector + 92);
  header.write('EFI PART', 0);
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(92, 12);
  for (const [offset, value] of [
    [24, at.my],
    [32, at.other],
    [40, 2 + at.room],
    [48, at.last - at.room - 1],
    [72, at.entriesLba],
  ] as const) {
    header.writeBigUInt64LE(BigInt(value), offset);
  }
  header.writeUInt32LE(128, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(crc32(at.entries), 88);
  seal(header);
}

function seal(header: Buffer): void {
  header.writeUInt32LE(0, 16);
  header.writeUInt32LE(crc32(header), 16);
}

const read = (disk: Uint8Array) => readPartitionTable(memorySource(disk));
const codes = async (disk: Uint8Array) => (await read(disk)).findings.map(({ code }) => code);
const changed = (disk: Buffer, change: (disk: Buffer) => void) => {
  change(disk);
  return disk;
};

describe('an MBR', () => {
  it('lists primary partitions in bytes, with types and the active flag', async () => {
    const table = await read(
      mbr({ flag: 0x80, type: 0x83, first: 63, count: 100 }, { type: 0xef, first: 200, count: 10 }),
    );

    expect(table).toMatchObject({
      kind: 'mbr',
      sectorSize: 512,
      findings: [],
      partitions: [
        { index: 1, start: 63 * 512, size: 51200, type: '0x83', typeName: 'Linux', bootable: true },
        { index: 2, start: 102400, size: 5120, type: '0xef', typeName: 'EFI system', bootable: false },
      ],
    });
    expect(firmwareHints(table).map(({ firmware }) => firmware)).toEqual(['uefi', 'bios']);
  });

  it('follows the chain of an extended partition', async () => {
    const disk = mbr({ type: 0x83, first: 10, count: 10 }, { type: 0x05, first: 100, count: 400 });
    writeBootRecord(disk, 100, { type: 0x83, first: 2, count: 20 }, { type: 0x05, first: 50, count: 100 });
    writeBootRecord(disk, 150, { type: 0x82, first: 2, count: 30 });

    const table = await read(disk);

    expect(table.partitions.map(({ index, start }) => [index, start / 512])).toEqual([
      [1, 10],
      [2, 100],
      [5, 102],
      [6, 152],
    ]);
    expect(table.findings).toEqual([]);
  });

  it.each([
    ['a loop', { type: 0x05, first: 0, count: 10 }],
    ['a step back', { type: 0x05, first: 0xffffff00, count: 10 }],
  ])('refuses an EBR chain with %s', async (_, next) => {
    const disk = mbr({ type: 0x05, first: 100, count: 400 });
    writeBootRecord(disk, 100, { type: 0x83, first: 2, count: 20 }, next);

    expect(await codes(disk)).toEqual([next.first === 0 ? 'ebr_chain' : 'partition_outside']);
  });

  it('refuses an EBR chain of more than 64 steps', async () => {
    const disk = mbr({ type: 0x0f, first: 100, count: 400 });
    for (let i = 0; i < 70; i++) {
      writeBootRecord(disk, 100 + i, { type: 0x83, first: 300, count: 1 }, { type: 0x05, first: i + 1, count: 1 });
    }

    expect(await codes(disk)).toContain('ebr_chain');
  });

  it.each([
    ['a boot flag that is neither 0 nor 0x80', mbr({ flag: 1, type: 0x83, first: 1, count: 1 }), 'mbr_invalid'],
    ['a protective entry beside another', mbr(PROTECTIVE, { type: 0x83, first: 10, count: 10 }), 'mbr_protective'],
    ['a protective entry that starts elsewhere', mbr({ ...PROTECTIVE, first: 2 }), 'mbr_protective'],
    ['a protective entry with another CHS', mbr({ ...PROTECTIVE, chs: [0, 1, 0] }), 'mbr_protective'],
    ['a protective entry without a GPT', mbr(PROTECTIVE), 'gpt_corrupt'],
  ])('refuses %s', async (_, disk, code) => {
    expect((await read(disk)).findings).toContainEqual(expect.objectContaining({ code, severity: 'refuse' }));
  });

  it.each([
    ['a partition past the end', mbr({ type: 0x83, first: 2000, count: 100 }), 'partition_outside'],
    [
      'partitions over one another',
      mbr({ type: 0x83, first: 10, count: 10 }, { type: 0x83, first: 19, count: 9 }),
      'partition_overlap',
    ],
    [
      'a GPT that firmware would not see',
      changed(gpt(), (disk) => writeBootRecord(disk, 0, { type: 0x83, first: 1, count: 1 })),
      'gpt_unprotected',
    ],
  ])('warns of %s', async (_, disk, code) => {
    expect((await read(disk)).findings).toEqual([expect.objectContaining({ code, severity: 'warn' })]);
  });

  it('is none without partitions', async () => {
    expect(await read(mbr())).toMatchObject({ kind: 'none', findings: [{ code: 'mbr_empty', severity: 'info' }] });
  });

  it('is not what a FAT boot sector, an NTFS boot sector or a kernel carries', async () => {
    const fat = mbr({ flag: 7, type: 1, first: 1, count: 1 });
    fat.set([0xeb, 0x3c, 0x90], 0);
    fat.writeUInt16LE(512, 11);
    fat.set([4, 1, 0, 2], 13);
    fat[21] = 0xf8;
    const ntfs = mbr({ flag: 7, type: 1, first: 1, count: 1 });
    ntfs.write('NTFS    ', 3);
    const kernel = mbr({ flag: 7, type: 1, first: 1, count: 1 });
    kernel.write('HdrS', 0x202);

    for (const disk of [fat, ntfs, kernel]) expect(await read(disk)).toMatchObject({ kind: 'none', findings: [] });
  });
});

describe('a GPT', () => {
  it.each([512, 4096])('is read on disks with sectors of %i bytes', async (sector) => {
    const disk = gpt({
      sector,
      size: 2 * MIB,
      partitions: [
        { type: ESP_GUID, first: 100, last: 199, name: 'EFI' },
        { type: BIOS_BOOT_GUID, first: 200, last: 200, attributes: 4 },
      ],
    });

    const table = await read(disk);

    expect(table).toMatchObject({
      kind: 'gpt',
      sectorSize: sector,
      findings: [],
      partitions: [
        { index: 1, start: 100 * sector, size: 100 * sector, type: ESP_GUID, typeName: 'EFI system', name: 'EFI' },
        { index: 2, typeName: 'BIOS boot', bootable: true },
      ],
    });
    expect(table.partitions[1]).not.toHaveProperty('name');
    expect(firmwareHints(table)).toEqual([
      { firmware: 'uefi', evidence: 'partition 1 is an EFI system partition' },
      { firmware: 'bios', evidence: 'partition 2 is a BIOS boot partition' },
    ]);
  });

  it('is read from its backup when the primary is damaged, with a warning', async () => {
    const table = await read(changed(gpt(), (disk) => disk.fill(0xff, 540, 544)));

    expect(table.findings).toMatchObject([{ code: 'gpt_primary_damaged', severity: 'warn' }]);
    expect(table.partitions).toHaveLength(1);
  });

  it.each([
    ['its backup is damaged', changed(gpt(), (disk) => disk.fill(0, MIB - 512))],
    ['its backup is cut off', gpt().subarray(0, MIB - 512)],
    [
      'its backup lists something else',
      changed(gpt(), (disk) =>
        gpt({ partitions: [{ type: BIOS_BOOT_GUID, first: 100, last: 199 }] }).copy(disk, MIB / 2, MIB / 2),
      ),
    ],
  ])('warns when %s', async (_, disk) => {
    const table = await read(disk);

    expect(table.findings).toMatchObject([{ code: 'gpt_backup_damaged', severity: 'warn' }]);
    expect(table.partitions).toHaveLength(1);
  });

  it.each<[string, (header: Buffer) => void]>([
    ['entries of 127 bytes', (header) => header.writeUInt32LE(127, 84)],
    ['a gigabyte of entries', (header) => header.writeUInt32LE(0x800000, 80)],
    ['no entries', (header) => header.writeUInt32LE(0, 80)],
    ['entries past the end', (header) => header.writeBigUInt64LE(1n << 40n, 72)],
    ['entries past 2^53', (header) => header.writeBigUInt64LE(1n << 60n, 72)],
    ['another revision', (header) => header.writeUInt32LE(0x20000, 8)],
    ['a header of 513 bytes', (header) => header.writeUInt32LE(513, 12)],
    ['a header that says it is elsewhere', (header) => header.writeBigUInt64LE(9n, 24)],
  ])('refuses %s in both headers', async (_, change) => {
    const disk = gpt();
    for (const at of [512, MIB - 512]) {
      const header = disk.subarray(at, at + 92);
      change(header);
      seal(header);
    }

    expect((await read(disk)).findings).toMatchObject([{ code: 'gpt_corrupt', severity: 'refuse' }]);
  });

  it('refuses an entry outside the usable sectors', async () => {
    const disk = gpt({ partitions: [{ type: ESP_GUID, first: 100, last: 1 << 20 }] });

    expect((await read(disk)).findings).toMatchObject([{ code: 'gpt_corrupt' }]);
  });

  it('does not list every one of many wrong partitions', async () => {
    const partitions = Array.from({ length: 100 }, () => ({ type: ESP_GUID, first: 100, last: 199 }));

    expect((await read(gpt({ partitions }))).findings).toHaveLength(16);
  });

  it('writes GUIDs as UEFI does', () => {
    expect(guidText(guidBytes(ESP_GUID), 0)).toBe(ESP_GUID);
  });
});

describe('hostile disks', () => {
  const seeds = [
    gpt(),
    gpt({ sector: 4096 }),
    writeBootRecord(
      mbr({ type: 5, first: 100, count: 400 }),
      100,
      { type: 0x83, first: 2, count: 2 },
      { type: 5, first: 9, count: 9 },
    ),
  ];
  const places = fc.oneof(
    fc.integer({ min: 440, max: 1100 }),
    fc.integer({ min: 4096, max: 4700 }),
    fc.integer({ min: 51_200, max: 51_712 }),
  );

  it('end in a table or a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(places, fc.nat(255)), { minLength: 1, maxLength: 10 }),
        fc.boolean(),
        async (seed, changes, resealed) => {
          const disk = Buffer.from(seed);
          for (const [at, value] of changes) disk[at] = value;
          if (resealed) seal(disk.subarray(512, 604));
          const table = await read(disk).catch((error: unknown) => {
            if (!(error instanceof FormatError)) throw error;
            return undefined;
          });
          for (const part of table?.partitions ?? []) expect(Number.isSafeInteger(part.start + part.size)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('of any short length are none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (bytes) => {
        expect((await read(bytes)).partitions).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
