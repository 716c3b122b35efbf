import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../formats/engine/errors.ts';
import type { Extent } from '../../../../formats/engine/image.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { inspect as inspectAny } from '../../../../formats/inspect.ts';
import { isoModule } from '../../../../formats/iso/module.ts';
import { tarHeader } from '../archive-builders.ts';
import { BLOCKS, descriptor, iso, SECTOR } from './iso-builder.ts';

/** Overwrites a 32-bit field of the first descriptor. */
function poke(disc: Buffer, offset: number, value: number): Buffer {
  disc.writeUInt32BE(value, 16 * SECTOR + offset);
  return disc;
}

async function inspect(bytes: Uint8Array) {
  const source = memorySource(bytes);
  return isoModule.inspect(source, await probeWindow(source));
}
const probe = (bytes: Uint8Array) =>
  isoModule.probe({ head: bytes.subarray(0, 69_632), tail: bytes.subarray(-1536), size: bytes.length });

describe('an ISO', () => {
  it('tells its volume; its size as a disk is that of the file', async () => {
    const facts = await inspect(iso({ blocks: 36, joliet: true }));

    expect(facts).toMatchObject({
      format: 'iso',
      subformat: 'iso9660',
      virtualSize: BLOCKS * SECTOR,
      findings: [],
      details: {
        volume_id: 'A_DISC',
        volume_size: 36 * SECTOR,
        publisher: 'A PUBLISHER',
        joliet: true,
        udf: false,
        bootable: false,
        rock_ridge: false,
      },
    });
  });

  it('tells Rock Ridge by the SUSP entry of its root folder', async () => {
    const disc = iso();
    disc[30 * SECTOR] = 60;
    disc.set(Buffer.from('SP\x07\x01\xbe\xef\x00', 'latin1'), 30 * SECTOR + 34);

    expect((await inspect(disc)).details).toMatchObject({ rock_ridge: true });
  });

  it.each<[readonly number[], readonly string[], readonly string[], string | undefined]>([
    [[0], ['x86'], ['bios'], 'bios'],
    [[0xef], ['efi'], ['uefi'], 'uefi'],
    [[0, 0xef], ['x86', 'efi'], ['uefi', 'bios'], undefined],
    [[1, 2, 9], ['ppc', 'mac', 'other'], [], undefined],
  ])('with boot platforms %j', async (platforms, names, firmware, property) => {
    const inspection = await inspectAny(memorySource(iso({ platforms })));

    expect(inspection.details).toMatchObject({ bootable: true, boot_platforms: names });
    expect(inspection.firmware.map((hint) => hint.firmware)).toEqual(firmware);
    expect(inspection.properties['hw_firmware_type']).toBe(property);
  });

  it('may be a UDF bridge, or UDF alone', async () => {
    const alone = Buffer.alloc(BLOCKS * SECTOR);
    for (const [i, id] of ['BEA01', 'NSR02', 'TEA01'].entries()) descriptor(alone, i, 0, id);

    expect(await inspect(iso({ udf: true }))).toMatchObject({ subformat: 'udf-bridge', details: { udf: true } });
    expect(probe(alone)).toBe(true);
    expect(await inspect(alone)).toMatchObject({ subformat: 'udf', findings: [] });
  });

  it('may carry an MBR or an Apple map for sticks, whose entries follow no rules', async () => {
    const stick = iso();
    stick[446] = 0x80;
    stick[450] = 0x17;
    stick.writeUInt32LE(BLOCKS * 4, 458);
    stick.writeUInt16BE(0x55aa, 510);
    const apple = iso();
    apple.write('ER', 0);
    apple.write('PM', 512);

    expect(await inspect(stick)).toMatchObject({ findings: [], details: { hybrid: 'mbr' } });
    expect(await inspect(apple)).toMatchObject({ findings: [], details: { hybrid: 'apple' } });
  });

  it('opens as its own bytes', async () => {
    const disc = iso();
    const image = await isoModule.open!(memorySource(disc));
    const target = new Uint8Array(100);
    await image.readInto(16 * SECTOR, target);

    expect(Buffer.from(target).equals(disc.subarray(16 * SECTOR, 16 * SECTOR + 100))).toBe(true);
    const extents: Extent[] = [];
    for await (const extent of image.extents(0, image.virtualSize)) extents.push(extent);
    expect(extents).toEqual([{ start: 0, length: disc.length, allocated: true, zero: false, compressed: false }]);
  });
});

describe('an ISO that must be refused', () => {
  it.each([
    ['qcow2', 0, 'QFI\xfb'],
    ['qed', 0, 'QED\0'],
    ['vmdk', 0, 'KDMV'],
    ['vmdk', 0, '# Disk DescriptorFile'],
    ['cowd', 0, 'COWD'],
    ['vdi', 0x40, '\x7f\x10\xda\xbe'],
    ['vhd', 0, 'conectix'],
    ['vhdx', 0, 'vhdxfile'],
    ['ploop', 0, 'WithoutFreeSpace'],
    ['luks', 0, 'LUKS\xba\xbe'],
    ['gzip', 0, '\x1f\x8b\x08'],
    ['vhd', BLOCKS * SECTOR - 512, 'conectix'],
  ])('for it is %s at %i as well', async (name, offset, magic) => {
    const disc = iso();
    disc.write(magic, offset, 'latin1');

    expect((await inspect(disc)).findings).toEqual([
      expect.objectContaining({
        code: 'multiple_formats',
        severity: 'refuse',
        message: expect.stringContaining(name) as string,
      }),
    ]);
  });

  it('for it is a tar as well', async () => {
    const disc = iso();
    disc.set(tarHeader({ name: 'a' }, 0));

    expect((await inspect(disc)).findings).toMatchObject([{ code: 'multiple_formats' }]);
  });

  it.each<[string, (disc: Buffer) => Buffer, string]>([
    ['for its volume is larger than the object', (disc) => disc.subarray(0, 39 * SECTOR), 'truncated'],
    ['for it ends before its first descriptor does', (disc) => disc.subarray(0, 16 * SECTOR + 100), 'truncated'],
    ['for its sizes disagree', (disc) => poke(disc, 84, 9), 'corrupt'],
    ['for its block size is none', (disc) => poke(disc, 128, 0), 'corrupt'],
    ['for it has no primary volume', (disc) => poke(disc, 0, 0x02434430), 'corrupt'],
    [
      'for its descriptors do not end',
      () => {
        const endless = Buffer.alloc(90 * SECTOR);
        iso().copy(endless);
        for (let i = 1; i < 70; i++) descriptor(endless, i, 2);
        return endless;
      },
      'corrupt',
    ],
  ])('%s', async (_, change, code) => {
    expect((await inspect(change(iso()))).findings).toMatchObject([{ code, severity: 'refuse' }]);
  });

  it('is not refused but warned about for a broken boot catalogue', async () => {
    const disc = iso({ platforms: [0] });
    disc[32 * SECTOR + 28]! ^= 1;

    expect(await inspect(disc)).toMatchObject({
      findings: [{ code: 'boot_catalog', severity: 'warn' }],
      details: { bootable: false },
    });
  });
});

describe('hostile discs', () => {
  it('end in facts, quickly', async () => {
    const seed = iso({ joliet: true, udf: true, platforms: [0, 0xef] });
    const places = fc.oneof(
      fc.integer({ min: 16 * SECTOR, max: 24 * SECTOR }),
      fc.integer({ min: 32 * SECTOR, max: 32 * SECTOR + 200 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(places, fc.nat(255)), { maxLength: 12 }),
        fc.integer({ min: 1, max: seed.length }),
        async (changes, cut) => {
          const bytes = Buffer.from(seed.subarray(0, cut));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const facts = await inspect(bytes).catch((error: unknown) => {
            if (!(error instanceof FormatError)) throw error;
            return undefined;
          });
          expect(facts?.virtualSize ?? bytes.length).toBe(bytes.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});
