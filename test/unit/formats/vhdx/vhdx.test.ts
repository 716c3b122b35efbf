import { describe, expect, it } from 'vitest';
import { vhdx } from '../../../../formats/vhdx/module.ts';
import { block } from '../disk-builders.ts';
import { countingSource, expanded, inspected, readsAs, refusals } from '../disk-contract.ts';
import {
  guid,
  LOG_GUID,
  type LogWrite,
  logEntry,
  MiB,
  resealVhdx,
  sealed,
  VHDX_AT,
  type VhdxOptions,
  vhdxImage,
} from './vhdx-builder.ts';

const a = block(1, MiB);
const b = block(2, MiB);
const plain = vhdxImage([a, undefined, b]);
const page = block(9, 4096);
const OTHER = '99999999-2222-3333-4444-555566667777';
const PARENT_LOCATOR = 'A8D35F2D-B30B-454D-ABF7-D3D84834AB0C';

readsAs('a VHDX', vhdx, plain, resealVhdx);
readsAs('a VHDX with sectors of 4096 bytes', vhdx, vhdxImage([a, b], { sector: 4096 }));
readsAs('a VHDX that ends within a block', vhdx, vhdxImage([a, b], { size: MiB + 1536 }));

/** A disk whose log holds one entry with these writes, and what it reads as. */
function withLog(writes: readonly LogWrite[], options: VhdxOptions = {}): Buffer {
  return vhdxImage([a, undefined, b], { log: logEntry(7, 0, writes), ...options }).file;
}

describe('the log of a VHDX', () => {
  const at = VHDX_AT.blocks + 8192;
  const patched = Buffer.from(plain.raw);
  page.copy(patched, 8192);
  readsAs('a VHDX with a pending write', vhdx, { file: withLog([{ offset: at, page }]), raw: patched }, resealVhdx);

  it('is applied in order: pages, zeros over pages, pages over zeros', async () => {
    const file = withLog([
      { offset: at, page },
      { offset: at - 4096, zeros: 3 * 4096 },
      { offset: at + 4096, page },
    ]);
    const raw = Buffer.from(plain.raw);
    raw.fill(0, 4096, 12288);
    page.copy(raw, 12288);

    expect((await expanded(vhdx, file)).equals(raw)).toBe(true);
    expect((await inspected(vhdx, file)).findings).toMatchObject([{ code: 'log_replayed', severity: 'info' }]);
  });

  it('can change the block table, and the reader sees the change', async () => {
    const table = Buffer.alloc(4096);
    table.writeBigUInt64LE(BigInt(VHDX_AT.blocks + MiB + 6), 0);
    const image = await expanded(vhdx, withLog([{ offset: VHDX_AT.table, page: table }]));

    expect(image.subarray(0, MiB).equals(b)).toBe(true);
    expect(image.subarray(MiB).every((byte) => byte === 0)).toBe(true);
  });

  it('goes on at its start when an entry reaches its end', async () => {
    const entry = logEntry(7, MiB - 4096, [{ offset: at, page }]);
    const log = Buffer.alloc(MiB);
    entry.copy(log, MiB - 4096, 0, 4096);
    entry.copy(log, 0, 4096);

    expect((await expanded(vhdx, vhdxImage([a, undefined, b], { log }).file)).equals(patched)).toBe(true);
  });

  it('counts from the tail that the newest entry names, not from older ones', async () => {
    const log = Buffer.concat([
      logEntry(5, 0, [{ offset: at, page: block(8, 4096) }]),
      logEntry(6, 8192, [{ offset: at + 4096, page }]),
      logEntry(7, 8192, [{ offset: at, zeros: 4096 }]),
    ]);
    const raw = Buffer.from(plain.raw);
    raw.fill(0, 8192, 12288);
    page.copy(raw, 12288);

    expect((await expanded(vhdx, vhdxImage([a, undefined, b], { log }).file)).equals(raw)).toBe(true);
  });

  it('ignores entries of an earlier log and entries with a wrong checksum', async () => {
    const old = logEntry(90, 0, [{ offset: at, zeros: 4096 }]);
    guid(OTHER).copy(old, 32);
    const torn = logEntry(8, 0, [{ offset: at, zeros: 4096 }]);
    torn.writeUInt8(1, 3000);
    const log = Buffer.concat([sealed(old), logEntry(7, 4096, [{ offset: at, page }]), torn]);

    expect((await expanded(vhdx, vhdxImage([a, undefined, b], { log }).file)).equals(patched)).toBe(true);
  });

  it.each<[string, string, Buffer]>([
    ['has no valid entry', 'corrupt', Buffer.alloc(4096)],
    ['writes past the end of the file', 'truncated', logEntry(7, 0, [{ offset: 2 ** 40, page }])],
    ['expects a longer file', 'truncated', logEntry(7, 0, [{ offset: at, page }], 2 ** 40)],
    ['writes to half a page', 'corrupt', logEntry(7, 0, [{ offset: at + 512, page }])],
    ['names a tail that is not there', 'corrupt', logEntry(7, 8192, [{ offset: at, page }])],
    [
      'lacks its data',
      'corrupt',
      (() => {
        const entry = logEntry(7, 0, [{ offset: at, page }]);
        entry.writeUInt32LE(2, 24);
        entry.copy(entry, 96, 64, 96);
        return sealed(entry);
      })(),
    ],
    [
      'has a data sector of another entry',
      'corrupt',
      (() => {
        const entry = logEntry(7, 0, [{ offset: at, page }]);
        entry.writeUInt32LE(6, entry.length - 4);
        return sealed(entry);
      })(),
    ],
    [
      'has more descriptors than bytes',
      'corrupt',
      (() => {
        const entry = logEntry(7, 0, [{ offset: at, page }]);
        entry.writeUInt32LE(0xffff_ffff, 24);
        return sealed(entry);
      })(),
    ],
  ])('refuses the disk when it %s: %s', async (_why, code, log) => {
    expect(await refusals(vhdx, vhdxImage([a, undefined, b], { log }).file)).toEqual([code]);
  });

  it('has a bound on what replaying it costs', async () => {
    const writes = Array.from({ length: 16_385 }, (_, i) => ({
      offset: VHDX_AT.blocks + (i % 200) * 4096,
      zeros: 4096,
    }));
    const descriptors = Buffer.alloc(Math.ceil((64 + writes.length * 32) / 4096) * 4096);
    const small = logEntry(7, 0, []);
    small.copy(descriptors, 0, 0, 64);
    descriptors.writeUInt32LE(descriptors.length, 8);
    descriptors.writeUInt32LE(writes.length, 24);
    for (const [i, { offset, zeros }] of writes.entries()) {
      const to = 64 + i * 32;
      descriptors.write('zero', to, 'latin1');
      descriptors.writeBigUInt64LE(BigInt(zeros), to + 8);
      descriptors.writeBigUInt64LE(BigInt(offset), to + 16);
      descriptors.writeBigUInt64LE(7n, to + 24);
    }

    expect(await refusals(vhdx, vhdxImage([a], { log: sealed(descriptors) }).file)).toEqual(['limit_exceeded']);
  });
});

describe('a VHDX is refused', () => {
  const bent = (bend: (file: Buffer) => void): Buffer => {
    const out = Buffer.from(plain.file);
    bend(out);
    return out;
  };
  const header = (bend: (header: Buffer) => void): Buffer =>
    bent((f) => {
      const part = f.subarray(128 * 1024, 128 * 1024 + 4096);
      bend(part);
      sealed(part);
    });
  const item = (index: number, value: number): Buffer =>
    bent((f) => {
      const entry = VHDX_AT.metadata + 32 + index * 32;
      f.writeUInt32LE(value, VHDX_AT.metadata + f.readUInt32LE(entry + 16));
    });
  const entry = (value: bigint): Buffer => bent((f) => f.writeBigUInt64LE(value, VHDX_AT.table + 8));
  it.each<[string, string, Buffer]>([
    ['with a parent flag', 'differencing', vhdxImage([a], { flags: 2 }).file],
    ['with a parent locator', 'differencing', vhdxImage([a], { items: [[PARENT_LOCATOR, 4]] }).file],
    ['for an unknown required item', 'unknown_features', vhdxImage([a], { items: [[OTHER, 4]] }).file],
    ['for an unknown required region', 'unknown_features', vhdxImage([a, b], { regions: [[OTHER, 5 * MiB, 1]] }).file],
    ['for regions over one another', 'corrupt', vhdxImage([a, b], { regions: [[OTHER, VHDX_AT.table, 0]] }).file],
    ['for a region over the log', 'corrupt', header((h) => h.writeBigUInt64LE(BigInt(VHDX_AT.table), 72))],
    ['for a region past the end', 'truncated', vhdxImage([a], { regions: [[OTHER, 900 * MiB, 0]] }).file],
    ['for a region at an odd place', 'corrupt', vhdxImage([a], { regions: [[OTHER, MiB + 512, 0]] }).file],
    [
      'for a region listed twice',
      'corrupt',
      vhdxImage([a, b], { regions: [['2DC27766-F623-4200-9D64-115E9BFD4A08', 4 * MiB, 1]] }).file,
    ],
    ['for another version', 'unsupported_format', header((h) => h.writeUInt16LE(2, 66))],
    [
      'for another log version',
      'unsupported_format',
      header((h) => {
        h.writeUInt16LE(1, 64);
        guid(LOG_GUID).copy(h, 48);
      }),
    ],
    [
      'for a huge log',
      'limit_exceeded',
      header((h) => {
        h.writeUInt32LE(512 * MiB, 68);
        guid(LOG_GUID).copy(h, 48);
      }),
    ],
    [
      'without a valid header',
      'corrupt',
      bent((f) => {
        f.writeUInt8(1, 64 * 1024 + 2000);
        f.writeUInt8(1, 128 * 1024 + 2000);
      }),
    ],
    [
      'without a valid region table',
      'corrupt',
      bent((f) => {
        f.writeUInt8(1, 192 * 1024 + 2000);
        f.writeUInt8(1, 256 * 1024 + 2000);
      }),
    ],
    [
      'for two headers of one number',
      'corrupt',
      header((h) => {
        h.writeBigUInt64LE(4n, 8);
        h.writeUInt8(1, 20);
      }),
    ],
    ['without the metadata signature', 'corrupt', bent((f) => f.fill(0, VHDX_AT.metadata, VHDX_AT.metadata + 8))],
    ['for too many metadata items', 'corrupt', bent((f) => f.writeUInt16LE(2048, VHDX_AT.metadata + 10))],
    ['for a missing item', 'corrupt', bent((f) => f.writeUInt16LE(4, VHDX_AT.metadata + 10))],
    ['for an item outside its region', 'corrupt', bent((f) => f.writeUInt32LE(MiB, VHDX_AT.metadata + 32 + 16))],
    ['for an item of another length', 'corrupt', bent((f) => f.writeUInt32LE(9, VHDX_AT.metadata + 32 + 20))],
    ['for a block size of 0', 'corrupt', item(0, 0)],
    ['for a block size of 512 MiB', 'corrupt', item(0, 512 * MiB)],
    ['for a virtual size of 0', 'corrupt', item(1, 0)],
    ['for a virtual size of no whole sectors', 'corrupt', item(1, 1000)],
    ['for sectors of 1024 bytes', 'corrupt', item(2, 1024)],
    ['for physical sectors of 7 bytes', 'corrupt', item(3, 7)],
    [
      'for a table too short',
      'truncated',
      bent((f) => {
        const size = VHDX_AT.metadata + f.readUInt32LE(VHDX_AT.metadata + 32 + 32 + 16);
        f.writeBigUInt64LE(2n ** 42n, size);
      }),
    ],
    ['for a block past the end', 'truncated', entry(6n + (1n << 60n))],
    ['for a block in the log', 'corrupt', entry(6n + BigInt(VHDX_AT.log))],
    ['for a block in the table', 'corrupt', entry(6n + BigInt(VHDX_AT.table))],
    ['for two entries of one block', 'corrupt', entry(6n + BigInt(VHDX_AT.blocks))],
    ['for a partially present block', 'corrupt', entry(7n + BigInt(VHDX_AT.blocks))],
    ['for a state without meaning', 'corrupt', entry(4n)],
  ])('%s: %s', async (_why, code, file) => {
    expect(await refusals(vhdx, file)).toContain(code);
  });
});

describe('a VHDX', () => {
  it('reads every state without data as zeros', async () => {
    const { file } = vhdxImage([undefined, undefined, undefined, undefined, undefined, a], {
      states: { 1: 1, 2: 2, 3: 3, 4: 5 },
    });

    expect((await expanded(vhdx, file)).subarray(0, 5 * MiB).every((byte) => byte === 0)).toBe(true);
  });

  it('takes the valid one of two headers and of two region tables', async () => {
    const file = Buffer.from(plain.file);
    file.writeUInt8(1, 128 * 1024 + 2000);
    file.writeUInt8(1, 192 * 1024 + 2000);

    expect((await expanded(vhdx, file)).equals(plain.raw)).toBe(true);
  });

  it('says who wrote it and how', async () => {
    expect((await inspected(vhdx, plain.file)).details).toMatchObject({
      creator: 'tests',
      disk_type: 'dynamic',
      block_size: MiB,
      logical_sector_size: 512,
      physical_sector_size: 4096,
    });
    expect((await inspected(vhdx, vhdxImage([a], { flags: 1 }).file)).subformat).toBe('fixed');
  });

  it('skips the sector bitmap entries after each chunk', async () => {
    const ratio = 2 ** 23 / (MiB / 512);
    const { file } = vhdxImage([a], { size: MiB });
    file.writeBigUInt64LE(
      BigInt((ratio + 1) * MiB),
      VHDX_AT.metadata + file.readUInt32LE(VHDX_AT.metadata + 32 + 32 + 16),
    );
    file.writeBigUInt64LE(0n, VHDX_AT.table);
    file.writeBigUInt64LE(0xfff0_0006n, VHDX_AT.table + ratio * 8);
    file.writeBigUInt64LE(BigInt(VHDX_AT.blocks + 6), VHDX_AT.table + (ratio + 1) * 8);
    const image = await vhdx.open!(countingSource(file).source);
    const last = Buffer.alloc(MiB);
    await image.readInto(ratio * MiB, last, true);

    expect(last.equals(a)).toBe(true);
  });

  it('costs two reads for neighbouring blocks', async () => {
    const { source, reads } = countingSource(vhdxImage(Array.from({ length: 16 }, () => a)).file);
    const image = await vhdx.open!(source);
    reads.length = 0;

    await image.readInto(0, new Uint8Array(16 * MiB), true);
    expect(reads).toHaveLength(2);
  });
});
