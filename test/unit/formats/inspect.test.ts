import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../core/config.ts';
import type { FormatModule, FormatName } from '../../../formats/engine/image.ts';
import { memorySource } from '../../../formats/engine/source.ts';
import { inspect } from '../../../formats/inspect.ts';
import { SAFETY_CHECKS } from '../../../formats/policy.ts';
import { raw } from '../../../formats/raw/module.ts';
import { checkedModules, MODULES, openImage } from '../../../formats/registry.ts';
import { countingSource } from './disk-contract.ts';

const KIB = 1024;

/** An object with some bytes at some places. */
function object(size: number, ...marks: readonly [offset: number, bytes: string][]): Buffer {
  const out = Buffer.alloc(size);
  for (const [offset, bytes] of marks) out.write(bytes, offset, 'latin1');
  return out;
}

/** An ISO 9660 object: primary descriptor and terminator. */
function iso(...marks: readonly [offset: number, bytes: string][]): Buffer {
  const out = object(40 * KIB, [32_768, '\x01CD001\x01'], [34_816, '\xffCD001\x01'], ...marks);
  for (const [at, value] of [
    [32_848, 20],
    [32_896, 2048],
  ] as const) {
    out.writeUInt32LE(value, at);
  }
  out.writeUInt32BE(20, 32_852);
  out.writeUInt16LE(2048, 32_896);
  out.writeUInt16BE(2048, 32_898);
  return out;
}

async function judged(bytes: Uint8Array, declared?: FormatName): Promise<[string, string, readonly string[]]> {
  const { format, verdict, findings } = await inspect(memorySource(bytes), declared === undefined ? {} : { declared });
  return [format, verdict, findings.filter((found) => found.severity === 'refuse').map((found) => found.code)];
}

describe('the registry', () => {
  it('refuses a format without a safety rule, a second of one format, and raw that is not last', () => {
    const none = { ...raw, safetyRules: [] } as unknown as FormatModule;

    expect(() => checkedModules([none])).toThrow('no safety rule');
    expect(() => checkedModules([raw, raw])).toThrow('twice');
    expect(() => checkedModules(MODULES.toReversed())).toThrow('last');
  });

  it('does not open what is only named', async () => {
    await expect(openImage(memorySource(new Uint8Array(512)), 'qed')).rejects.toThrow('not opened');
  });
});

describe('safety checks that only warn', () => {
  const hybrid = memorySource(readFileSync(new URL('../../fixtures/formats/disks/gpt-hybrid.qcow2', import.meta.url)));

  it.each([
    [[], 'refuse', 'refuse'],
    [['mbr'], 'accept', 'warn'],
    [['gptmbr'], 'accept', 'warn'],
    [['unheard-of'], 'refuse', 'refuse'],
  ])('%j: %s', async (nonfatal, verdict, severity) => {
    const inspection = await inspect(hybrid, { nonfatal });

    expect(inspection).toMatchObject({ verdict, findings: [{ code: 'mbr_protective', severity }] });
  });

  it('are those that the configuration takes', () => {
    const parsed = (names: readonly string[]) =>
      parseConfig({
        stores: [{ id: 'a', bucket: 'bucket', default: true }],
        image_format: { gpt_safety_checks_nonfatal: names },
      });

    expect(parsed(Object.keys(SAFETY_CHECKS)).image_format.gpt_safety_checks_nonfatal).toEqual(
      Object.keys(SAFETY_CHECKS),
    );
    expect(() => parsed(['unheard-of'])).toThrow('gpt_safety_checks_nonfatal');
  });
});

describe('the declared format', () => {
  const cases: readonly [content: string, bytes: Buffer, declared: FormatName, verdict: string][] = [
    ['nothing', object(4096), 'raw', 'accept'],
    ['nothing', object(4096), 'ami', 'accept'],
    ['nothing', object(4096), 'qcow2', 'refuse'],
    ['nothing', object(4096), 'iso', 'refuse'],
    ['a qcow2 header', object(4096, [0, 'QFI\xfb\0\0\0\x03']), 'raw', 'refuse'],
    ['a qcow2 header', object(4096, [0, 'QFI\xfb\0\0\0\x03']), 'ami', 'refuse'],
    ['a fixed VHD footer', object(4096, [4096 - 512, 'conectix']), 'raw', 'refuse'],
    ['a VDI header', object(4096, [0x40, '\x7f\x10\xda\xbe']), 'raw', 'refuse'],
    ['an ISO', iso(), 'iso', 'accept'],
    ['an ISO', iso(), 'raw', 'refuse'],
    ['LUKS', object(4096, [0, 'LUKS\xba\xbe\0\x02']), 'qcow2', 'refuse'],
    ['gzip', object(4096, [0, '\x1f\x8b\x08']), 'raw', 'refuse'],
  ];

  it.each(cases)('%s as %s', async (_content, bytes, declared, verdict) => {
    const [, got, refused] = await judged(bytes, declared);

    expect(got).toBe(verdict);
    if (verdict === 'refuse') expect(refused.length).toBeGreaterThan(0);
  });

  it('is named in the finding', async () => {
    const { findings } = await inspect(memorySource(object(4096)), { declared: 'vmdk' });

    expect(findings).toContainEqual(expect.objectContaining({ code: 'format_mismatch', severity: 'refuse' }));
  });
});

describe('objects of two formats', () => {
  const pairs: readonly [string, Buffer][] = [
    ['qcow2 and ISO', iso([0, 'QFI\xfb\0\0\0\x03'])],
    ['VMDK and ISO', iso([0, 'KDMV\x01\0\0\0'])],
    ['VDI and ISO', iso([0x40, '\x7f\x10\xda\xbe'])],
    ['qcow2 and fixed VHD', object(40 * KIB, [0, 'QFI\xfb\0\0\0\x03'], [40 * KIB - 512, 'conectix'])],
    ['VHDX and VDI', object(40 * KIB, [0, 'vhdxfile'], [0x40, '\x7f\x10\xda\xbe'])],
  ];

  it.each(pairs)('%s: refused, with both named', async (_name, bytes) => {
    const inspection = await inspect(memorySource(bytes));

    expect(inspection.verdict).toBe('refuse');
    expect(inspection.findings.map((found) => found.code)).toContain('multiple_formats');
    expect(inspection.matches.length).toBeGreaterThan(1);
  });

  it('ISO with a boot record is one format', async () => {
    const bytes = iso([510, '\x55\xaa']);
    bytes.writeUInt8(0x80, 446);
    bytes.writeUInt8(0x17, 450);
    bytes.writeUInt32LE(80, 458);

    expect(await judged(bytes)).toEqual(['iso', 'accept', []]);
  });
});

describe('limits', () => {
  it('refuses no bytes, and more than the limit', async () => {
    expect(await judged(new Uint8Array(0))).toEqual(['raw', 'refuse', ['empty']]);
    const { findings, verdict } = await inspect(memorySource(object(4096)), { maxVirtualSize: 4095 });
    expect(verdict).toBe('refuse');
    expect(findings.map((found) => found.code)).toContain('virtual_size_limit');
  });

  it('ends with the reason of the signal before the next read', async () => {
    const reason = new Error('enough');

    await expect(inspect(memorySource(object(4096)), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('passes errors of the source on, for they say nothing about the image', async () => {
    const failing = { size: 4096, read: async () => Promise.reject(new Error('connection reset')) };

    await expect(inspect(failing)).rejects.toThrow('connection reset');
  });

  it('looks at a raw object with two reads', async () => {
    const { source, reads } = countingSource(object(1024 * KIB));

    await inspect(source);

    expect(reads.length).toBe(2);
  });
});
