import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { propertyHints } from '../../../../formats/engine/properties.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { vmdk } from '../../../../formats/vmdk/module.ts';
import {
  block,
  descriptorText,
  GRAIN,
  SPARSE_AT,
  storedGrain,
  type VmdkOptions,
  vmdkSparse,
  vmdkStream,
} from '../disk-builders.ts';
import { countingSource, expanded, inspected, opened, readsAs, refusals } from '../disk-contract.ts';

const a = block(1, GRAIN);
const b = block(2, GRAIN);
const sparse = vmdkSparse([a, undefined, 'zero', b]);
const stream = vmdkStream([a, undefined, b]);
const SECTORS = GRAIN / 512;

readsAs('a monolithicSparse VMDK', vmdk, sparse);
readsAs('a monolithicSparse VMDK that ends within a grain', vmdk, vmdkSparse([a, b], { capacity: GRAIN + 1536 }));
readsAs('a streamOptimized VMDK', vmdk, stream);
readsAs('a streamOptimized VMDK that ends within a grain', vmdk, vmdkStream([a, b], { capacity: GRAIN + 1536 }));
readsAs('a streamOptimized VMDK of version 3', vmdk, vmdkStream([a, b], { version: 3 }));
readsAs(
  'a streamOptimized VMDK whose last grain holds the rest only',
  vmdk,
  vmdkStream([a, b], {
    capacity: GRAIN + 1536,
    store: (i, data) => storedGrain(i * SECTORS, i === 1 ? data.subarray(0, 1536) : data),
  }),
);

function bent({ file }: { readonly file: Buffer }, bend: (file: Buffer) => void): Buffer {
  const out = Buffer.from(file);
  bend(out);
  return out;
}

describe('a sparse VMDK is refused', () => {
  const table = (entry: number) => (f: Buffer) => f.writeUInt32LE(entry, SPARSE_AT.table * 512 + 4);
  const directory = (entry: number) => (f: Buffer) => f.writeUInt32LE(entry, SPARSE_AT.directory * 512);
  it.each<[string, string, (file: Buffer) => void]>([
    ['for version 0', 'unsupported_format', (f) => f.writeUInt32LE(0, 4)],
    ['for version 4', 'unsupported_format', (f) => f.writeUInt32LE(4, 4)],
    ['for a failed newline test', 'corrupt', (f) => f.write('\r', 74, 'latin1')],
    ['for a capacity of 0', 'corrupt', (f) => f.writeBigUInt64LE(0n, 12)],
    ['for a capacity above 2^53', 'corrupt', (f) => f.writeBigUInt64LE(2n ** 45n, 12)],
    ['for grains of 0 sectors', 'corrupt', (f) => f.writeBigUInt64LE(0n, 20)],
    ['for grains of 100 sectors', 'corrupt', (f) => f.writeBigUInt64LE(100n, 20)],
    ['for huge grains', 'corrupt', (f) => f.writeBigUInt64LE(2n ** 40n, 20)],
    ['for tables of 0 entries', 'corrupt', (f) => f.writeUInt32LE(0, 44)],
    ['for tables of 513 entries', 'corrupt', (f) => f.writeUInt32LE(513, 44)],
    ['without a descriptor', 'vmdk_type', (f) => f.writeBigUInt64LE(0n, 28)],
    ['for a descriptor elsewhere', 'vmdk_descriptor', (f) => f.writeBigUInt64LE(2n, 28)],
    ['for a huge descriptor', 'vmdk_descriptor', (f) => f.writeBigUInt64LE(2n ** 40n, 36)],
    ['for a descriptor past the end', 'truncated', (f) => f.writeBigUInt64LE(2000n, 36)],
    ['for a directory past the end', 'truncated', (f) => f.writeBigUInt64LE(2n ** 40n, 56)],
    ['for a directory in the header', 'corrupt', (f) => f.writeBigUInt64LE(0n, 56)],
    ['for a table past the end', 'truncated', directory(0xffff_ffff)],
    ['for a table in the descriptor', 'corrupt', directory(3)],
    ['for a grain past the end', 'truncated', table(0xffff_ffff)],
    ['for a grain in the descriptor', 'corrupt', table(2)],
    ['for two entries of one grain', 'corrupt', table(SPARSE_AT.grains)],
    ['for a zeroed grain without the flag for it', 'corrupt', (f) => f.writeUInt32LE(1, 8)],
    ['for compression without markers', 'unsupported_format', (f) => f.writeUInt32LE(0x10001, 8)],
    ['for an algorithm without compression', 'unsupported_format', (f) => f.writeUInt16LE(1, 77)],
    ['for a missing footer', 'truncated', (f) => f.writeBigUInt64LE(2n ** 64n - 1n, 56)],
    ['for another capacity than its descriptor says', 'vmdk_descriptor', (f) => f.writeBigUInt64LE(10n * 128n, 12)],
  ])('%s: %s', async (_why, code, bend) => {
    expect(await refusals(vmdk, bent(sparse, bend))).toContain(code);
  });
});

describe('a streamOptimized VMDK is refused', () => {
  it.each([
    ['capacity', (f: Buffer) => f.writeBigUInt64LE(2n * 128n, 12)],
    ['grainSize', (f: Buffer) => f.writeBigUInt64LE(64n, 20)],
    ['version', (f: Buffer) => f.writeUInt32LE(3, 4)],
    ['flags', (f: Buffer) => f.writeUInt32LE(0x30003, 8)],
    ['descriptorOffset', (f: Buffer) => f.writeBigUInt64LE(30n, 28)],
    ['descriptorSize', (f: Buffer) => f.writeBigUInt64LE(30n, 36)],
    ['tableEntries', (f: Buffer) => f.writeUInt32LE(256, 44)],
    ['compressAlgorithm', (f: Buffer) => f.writeUInt16LE(0, 77)],
  ])('when the footer has another %s', async (_field, footer) => {
    expect(await refusals(vmdk, vmdkStream([a, undefined, b], { footer }).file)).toEqual(['footer_mismatch']);
  });

  it.each<[string, string, Buffer]>([
    ['when the footer is no header', 'corrupt', vmdkStream([a], { footer: (f) => f.fill(0, 0, 4) }).file],
    ['when the footer points to itself', 'corrupt', vmdkStream([a], { footer: (f) => f.fill(0xff, 56, 64) }).file],
    ['without the footer marker', 'truncated', bent(stream, (f) => f.writeUInt32LE(2, f.length - 1536 + 12))],
    ['without the end-of-stream marker', 'truncated', bent(stream, (f) => f.writeUInt8(1, f.length - 1))],
    [
      'with grains that its createType does not have',
      'vmdk_descriptor',
      vmdkStream([a], { descriptor: descriptorText('monolithicSparse', SECTORS) }).file,
    ],
  ])('%s: %s', async (_why, code, file) => {
    expect(await refusals(vmdk, file)).toContain(code);
  });

  const only = (store: (data: Buffer) => Buffer): Buffer =>
    vmdkStream([undefined, a], { store: (_i, data) => store(data) }).file;
  it.each<[string, Buffer]>([
    ['whose marker names another place', only((data) => storedGrain(0, data))],
    ['that inflates to more', only((data) => storedGrain(SECTORS, data, deflateSync(Buffer.concat([data, data]))))],
    [
      'that inflates to a terabyte',
      only((data) => storedGrain(SECTORS, data, deflateSync(Buffer.alloc(64 * 2 ** 20)))),
    ],
    ['that inflates to less', only((data) => storedGrain(SECTORS, data, deflateSync(data.subarray(1))))],
    ['that is no zlib stream', only((data) => storedGrain(SECTORS, data, Buffer.alloc(100, 7)))],
    ['that has a raw stream', only((data) => storedGrain(SECTORS, data, deflateSync(data).subarray(2)))],
    ['that ends early', only((data) => storedGrain(SECTORS, data, deflateSync(data).subarray(0, -6)))],
    [
      'with a wrong Adler-32',
      only((data) =>
        storedGrain(SECTORS, data, Buffer.concat([deflateSync(data).subarray(0, -1), Buffer.from([0x55])])),
      ),
    ],
    ['of size 0', only((data) => storedGrain(SECTORS, data, Buffer.alloc(0)))],
    ['that is larger than any can be', only((data) => storedGrain(SECTORS, data, Buffer.alloc(3 * GRAIN)))],
  ])('when it reads a grain %s', async (_why, file) => {
    const image = await opened(vmdk, file);

    await expect(image.readInto(GRAIN, Buffer.alloc(GRAIN))).rejects.toMatchObject({ kind: 'Corrupt' });
  });

  it('when a grain reaches past the end of the object', async () => {
    const file = bent(stream, (f) => f.writeUInt32LE(GRAIN + 60_000, 128 * 512 + 8));
    const image = await opened(vmdk, file);

    await expect(image.readInto(0, Buffer.alloc(GRAIN))).rejects.toMatchObject({ kind: 'Truncated' });
  });
});

describe('a descriptor is refused', () => {
  const text = descriptorText('monolithicSparse', 2 * SECTORS);
  const swap = (from: string, to: string): string => text.replace(from, to);
  const cases: [string, string, string][] = [
    ['for another createType', 'vmdk_type', swap('monolithicSparse', 'custom')],
    ['without a createType', 'vmdk_descriptor', swap('createType', '#reateType')],
    ['with two createTypes', 'vmdk_descriptor', `${text}CreateType="streamOptimized"\n`],
    ['with a second createType in a comment', 'vmdk_descriptor', `${text}# createType="monolithicFlat"\n`],
    ['with a second createType in the database', 'vmdk_descriptor', `${text}ddb.comment = "createType=custom"\n`],
    ['with a parent', 'differencing', swap('parentCID=ffffffff', 'parentCID=12345678')],
    ['with a parent file', 'differencing', `${text}parentFileNameHint="/etc/passwd"\n`],
    ['without an extent', 'vmdk_descriptor', swap('RW', '#RW')],
    ['with two extents', 'vmdk_descriptor', `${text}RW 256 SPARSE "b.vmdk"\n`],
    ['with a flat extent', 'external_extent', swap(' SPARSE', ' FLAT')],
    ['with a device', 'external_extent', swap('SPARSE "disk.vmdk"', 'VMFSRDM "/dev/sda"')],
    ['with a path', 'external_extent', swap('disk.vmdk', '/etc/shadow')],
    ['with a relative path', 'external_extent', swap('disk.vmdk', 'x/../../shadow')],
    ['with a Windows path', 'external_extent', swap('disk.vmdk', 'C:\\\\shadow')],
    ['with a scheme', 'external_extent', swap('disk.vmdk', 'nbd:127.0.0.1:10809')],
    ['with a hidden file', 'external_extent', swap('disk.vmdk', '.ssh')],
    ['without a file name', 'external_extent', swap(' "disk.vmdk"', '')],
    ['with an extent that may not be read', 'vmdk_descriptor', swap('RW ', 'NOACCESS ')],
    ['with an unknown line', 'vmdk_descriptor', `${text}include other.vmdk\n`],
    ['with an unknown key', 'vmdk_descriptor', `${text}dataFile="x"\n`],
    ['with a key twice', 'vmdk_descriptor', `${text}ddb.adapterType = "ide"\n`],
    ['with control characters', 'vmdk_descriptor', `${text}# \x1b[2J\n`],
    ['with another size', 'vmdk_descriptor', swap(`RW ${2 * SECTORS}`, `RW ${9 * SECTORS}`)],
  ];
  it.each(cases)('%s: %s', async (_why, code, descriptor) => {
    const options: VmdkOptions = { descriptor };

    expect(await refusals(vmdk, vmdkSparse([a, b], options).file)).toContain(code);
  });

  const kinds = [
    'monolithicFlat',
    'twoGbMaxExtentSparse',
    'twoGbMaxExtentFlat',
    'vmfs',
    'vmfsSparse',
    'vmfsThin',
    'seSparse',
  ];
  const devices = [
    'fullDevice',
    'partitionedDevice',
    'vmfsRaw',
    'vmfsRDM',
    'vmfsRDMP',
    'vmfsEagerZeroedThick',
    'custom',
  ];
  it.each([...kinds, ...devices])('when it stands alone: %s', async (createType) => {
    const bytes = Buffer.from(descriptorText(createType, 2048));
    const facts = await inspected(vmdk, bytes);

    expect(vmdk.probe(await probeWindow(memorySource(bytes)))).toBe(true);
    expect(facts.findings.map(({ code }) => code)).toEqual(['vmdk_type', 'external_extent']);
    expect(facts.details['create_type']).toBe(createType);
    expect(facts.virtualSize).toBe(2048 * 512);
    await expect(opened(vmdk, bytes)).rejects.toMatchObject({ kind: 'Unsafe' });
  });

  it('when it stands alone, even as monolithicSparse', async () => {
    expect(await refusals(vmdk, Buffer.from(text))).toEqual(['external_extent']);
  });
});

describe('detection of descriptors', () => {
  const flat = descriptorText('monolithicFlat', 2048);
  it.each<[string, boolean, Buffer]>([
    ['the usual form', true, Buffer.from(flat)],
    ['padding of NULs', true, Buffer.concat([Buffer.from(flat), Buffer.alloc(9000)])],
    ['a byte order mark and blank lines', true, Buffer.from(`\uFEFF\r\n\r\n${flat.replaceAll('\n', '\r\n')}`)],
    ['other case', true, Buffer.from(flat.toUpperCase())],
    ['a createType without the first line', true, Buffer.from('CID=1\ncreateType="vmfs"\n')],
    ['a version behind comments, as qemu looks for', true, Buffer.from('# hello\n\nversion=1\n')],
    ['other text', false, Buffer.from('#!/bin/sh\necho version=1\n')],
    ['zeros', false, Buffer.alloc(4096)],
    ['nothing', false, Buffer.alloc(0)],
  ])('%s: %s', async (_what, expected, bytes) => {
    expect(vmdk.probe(await probeWindow(memorySource(bytes)))).toBe(expected);
  });
});

describe('a VMDK', () => {
  it.each([
    ['ide', 'ide', 'ide'],
    ['buslogic', 'busLogic', 'scsi'],
    ['lsilogic', 'lsiLogic', 'scsi'],
    ['lsisas1068', 'lsiLogicsas', 'scsi'],
    ['pvscsi', 'paraVirtual', 'scsi'],
  ])('on adapter %s is %s on %s', async (type, adapter, bus) => {
    const descriptor = descriptorText('streamOptimized', SECTORS).replace('lsilogic', type);
    const facts = await inspected(vmdk, vmdkStream([a], { descriptor }).file);

    expect(facts.details).toMatchObject({
      create_type: 'streamOptimized',
      vmware_disktype: 'streamOptimized',
      vmware_adaptertype: adapter,
      hw_disk_bus: bus,
      hw_version: '7',
      grain_size: GRAIN,
    });
  });

  it('on an adapter that Nova has no word for suggests the bus alone', async () => {
    const descriptor = descriptorText('streamOptimized', SECTORS).replace('lsilogic', 'legacyESX');
    const { details } = await inspected(vmdk, vmdkStream([a], { descriptor }).file);

    expect(details).toMatchObject({ vmware_adaptertype: 'legacyESX', hw_disk_bus: 'scsi' });
    expect(propertyHints(details, [])).toEqual({ hw_disk_bus: 'scsi', vmware_disktype: 'streamOptimized' });
  });

  it('warns of an unclean shutdown and of unknown flags', async () => {
    const facts = await inspected(
      vmdk,
      bent(sparse, (f) => {
        f.writeUInt8(1, 72);
        f.writeUInt32LE(0x85, 8);
      }),
    );

    expect(facts.findings.map(({ code, severity }) => [code, severity])).toEqual([
      ['unclean_shutdown', 'warn'],
      ['unknown_flags', 'warn'],
    ]);
  });

  it('reads a stream without footer, whose header names the directory', async () => {
    const file = bent(stream, (f) => f.copy(f, 56, f.length - 1024 + 56, f.length - 1024 + 64)).subarray(0, -1536);

    expect((await expanded(vmdk, file)).equals(stream.raw)).toBe(true);
  });

  it('inflates a run of grains out of two reads, and not again for a part of one', async () => {
    const grains = Array.from({ length: 256 }, (_, i) => block(i, GRAIN));
    const { source, reads } = countingSource(vmdkStream(grains).file);
    const image = await vmdk.open!(source);
    reads.length = 0;

    await image.readInto(0, new Uint8Array(image.virtualSize), true);
    expect(reads.length).toBeLessThanOrEqual(3);
    await image.readInto(GRAIN + 1, new Uint8Array(512));
    reads.length = 0;
    await image.readInto(GRAIN + 600, new Uint8Array(512));
    expect(reads).toEqual([]);
  });

  it('reads 16 MiB of plain grains with two reads', async () => {
    const grains = Array.from({ length: 256 }, (_, i) => block(i, GRAIN));
    const { source, reads } = countingSource(vmdkSparse(grains).file);
    const image = await vmdk.open!(source);
    reads.length = 0;

    await image.readInto(0, new Uint8Array(image.virtualSize), true);
    expect(reads).toHaveLength(2);
  });
});
