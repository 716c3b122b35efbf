import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { HEADER_BYTES, parseHeader } from '../../../../formats/ploop/header.ts';
import { ploop } from '../../../../formats/ploop/module.ts';
import { block, ploopImage } from '../disk-builders.ts';
import { countingSource, inspected, readsAs, refusals } from '../disk-contract.ts';

const CLUSTER = 64 * 1024;
const a = block(1, CLUSTER);
const b = block(2, CLUSTER);
const odd = 63 * 512;
const plain = ploopImage([a, undefined, b], 2);

readsAs('a ploop image', ploop, plain);
readsAs('a ploop image of the first generation', ploop, ploopImage([a, undefined, b], 1));
readsAs(
  'a ploop image of 63 sectors to the cluster that ends within one',
  ploop,
  ploopImage([block(3, odd), undefined, block(4, odd)], 1, 63, 2 * odd + 1024),
);

describe('a ploop image is refused', () => {
  it.each<[string, string, (file: Buffer) => void]>([
    ['while in use', 'in_use', (f) => f.writeUInt32LE(0x746f6e59, 44)],
    ['for an unknown state of use', 'in_use', (f) => f.writeUInt32LE(1, 44)],
    ['for another version', 'unsupported_version', (f) => f.writeUInt32LE(3, 16)],
    ['for clusters of 0 sectors', 'corrupt', (f) => f.writeUInt32LE(0, 28)],
    ['for huge clusters', 'corrupt', (f) => f.writeUInt32LE(0xffff_ffff, 28)],
    ['for a size of 0', 'corrupt', (f) => f.writeBigUInt64LE(0n, 36)],
    ['for a size above 2^53', 'corrupt', (f) => f.writeBigUInt64LE(2n ** 62n, 36)],
    ['for a table too short', 'corrupt', (f) => f.writeUInt32LE(2, 32)],
    [
      'for data in the table',
      'corrupt',
      (f) => {
        f.writeUInt32LE(1000, 32);
        f.writeUInt32LE(1, 48);
      },
    ],
    [
      'for a table past the end',
      'truncated',
      (f) => {
        f.writeUInt32LE(0x0fff_ffff, 32);
        f.writeUInt32LE(0, 48);
      },
    ],
    ['for a cluster past the end', 'truncated', (f) => f.writeUInt32LE(0xffff, 68)],
    ['for two entries of one cluster', 'corrupt', (f) => f.writeUInt32LE(1, 68)],
  ])('%s: %s', async (_why, code, bend) => {
    const file = Buffer.from(plain.file);
    bend(file);

    expect(await refusals(ploop, file)).toContain(code);
  });

  it('for a cluster in the header', async () => {
    const { file } = ploopImage([a, b], 1);
    file.writeUInt32LE(0x0fff_ffff, 68);
    expect(await refusals(ploop, file)).toEqual(['truncated']);

    file.writeUInt32LE(1, 68);
    file.writeUInt32LE(2, 48);
    expect(await refusals(ploop, file)).toEqual(['corrupt']);
  });
});

/** A header of 112 entries, whose table ends with its sector. */
function header(change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.set(plain.file.subarray(0, HEADER_BYTES));
  bytes.writeUInt32LE(112, 32);
  bytes.writeUInt32LE(1, 48);
  change(bytes);
  return bytes;
}

describe('the header of a ploop image', () => {
  it.each<[string, number, (bytes: Buffer) => void]>([
    ['data begin where the table ends', 512, () => undefined],
    ['data begin behind the table when it does not say where', 512, (f) => f.writeUInt32LE(0, 48)],
    [
      'data begin with the next sector',
      1024,
      (f) => {
        f.writeUInt32LE(0, 48);
        f.writeUInt32LE(113, 32);
      },
    ],
    ['the largest cluster', 512, (f) => f.writeUInt32LE(64 * 2048, 28)],
  ])('%s: %i', (_what, dataStart, change) => {
    expect(parseHeader(header(change)).dataStart).toBe(dataStart);
  });

  it.each<[string, RegExp, (bytes: Buffer) => void]>([
    ['another magic', /unknown magic/, (f) => f.write('WithFreeSpace   ')],
    ['clusters of nothing', /cluster: 0 bytes/, (f) => f.writeUInt32LE(0, 28)],
    ['clusters above 64 MiB', /cluster: 67109376 bytes/, (f) => f.writeUInt32LE(64 * 2048 + 1, 28)],
    ['no size', /size: 0/, (f) => f.writeBigUInt64LE(0n, 36)],
    ['data in the table', /data offset: 512 lies in the table, which ends at 1024/, (f) => f.writeUInt32LE(113, 32)],
  ])('is refused for %s', (_what, message, change) => {
    expect(() => parseHeader(header(change))).toThrow(message);
  });

  it('has 64 bits of size in the second generation', () => {
    const bytes = header((f) => {
      f.writeUInt32LE(64 * 2048, 28);
      f.writeUInt32LE(65536, 32);
      f.writeBigUInt64LE(2n ** 33n, 36);
      f.writeUInt32LE(0, 48);
    });

    expect(parseHeader(bytes).virtualSize).toBe(2 ** 42);
  });
});

describe('a ploop image', () => {
  it('tells its generation and its clusters, and nothing else is one', async () => {
    expect(await inspected(ploop, plain.file)).toMatchObject({
      subformat: 'v2',
      findings: [],
      details: { version: 2, block_size: CLUSTER },
    });
    expect(ploop.probe(await probeWindow(memorySource(new Uint8Array(4096))))).toBe(false);
  });

  it('whose table lies past the end says so of the table', async () => {
    const file = Buffer.from(plain.file);
    file.writeUInt32LE(0x0fff_ffff, 32);
    file.writeUInt32LE(0, 48);
    const { findings } = await inspected(ploop, file);

    expect(findings[0]?.message).toContain('ploop block allocation table');
    expect(findings[0]?.message).toContain(String(0x0fff_ffff * 4 + 64));
  });

  it('has no cluster where its header and table are', async () => {
    const { file } = ploopImage([a], 1);
    file.writeUInt32LE(2, 48);
    const { findings } = await inspected(ploop, file);

    expect(findings).toMatchObject([
      { code: 'corrupt', message: expect.stringContaining('header and table at 0..1024') },
    ]);
  });

  it('of the first generation has 32 bits of size', async () => {
    const { file } = ploopImage([a, b], 1);
    file.writeUInt32LE(0xffff_ffff, 40);

    expect((await inspected(ploop, file)).virtualSize).toBe(2 * CLUSTER);
  });

  it('costs two reads for what lies together', async () => {
    const { source, reads } = countingSource(
      ploopImage(
        Array.from({ length: 100 }, () => a),
        2,
      ).file,
    );
    const image = await ploop.open!(source);
    reads.length = 0;

    await image.readInto(0, new Uint8Array(image.virtualSize), true);
    expect(reads).toHaveLength(2);
  });
});
