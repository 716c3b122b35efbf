import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError, Unsafe } from '../../../../formats/engine/errors.ts';
import { finding } from '../../../../formats/engine/findings.ts';
import type { FormatFacts } from '../../../../formats/engine/image.ts';
import { opaqueImage } from '../../../../formats/engine/opaque-image.ts';
import { type ByteSource, memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { INSPECT_DIGEST_BYTES, ovaModule, verifyOva } from '../../../../formats/ova/module.ts';
import { parseOvf } from '../../../../formats/ova/ovf.ts';
import { parseXml } from '../../../../formats/ova/xml.ts';
import { digest, item, largeOva, ovf, type TestMember, tar } from '../archive-builders.ts';

const DISK = Buffer.alloc(2048, 7);
const disk: TestMember = { name: 'disk.img', data: DISK };
const descriptor = (options?: Parameters<typeof ovf>[0]): TestMember => ({ name: 'vm.ovf', data: ovf(options) });

/** An engine to which every disk is raw, or what it is told. */
function engine(facts: Partial<FormatFacts> = {}) {
  return {
    open: async (source: ByteSource) => opaqueImage('raw', source),
    inspect: async (source: ByteSource): Promise<FormatFacts> => ({
      format: 'raw',
      virtualSize: source.size,
      findings: [],
      details: {},
      ...facts,
    }),
  };
}

async function inspect(bytes: Uint8Array, facts?: Partial<FormatFacts>): Promise<FormatFacts> {
  const source = memorySource(bytes);
  return ovaModule(engine(facts)).inspect(source, await probeWindow(source));
}

const codes = async (bytes: Uint8Array) => (await inspect(bytes)).findings.map(({ code }) => code);

const gzipped = (data: Buffer) => ({ name: 'disk.img', data: gzipSync(data) });

describe('an OVA', () => {
  const items = [
    item({ InstanceID: 1, ResourceType: 3, VirtualQuantity: 4 }),
    item({ InstanceID: 2, ResourceType: 4, VirtualQuantity: 2, AllocationUnits: 'byte * 2^30' }),
    item({ InstanceID: 3, ResourceType: 6, ResourceSubType: 'VirtualSCSI' }),
    item({ InstanceID: 4, ResourceType: 10, ResourceSubType: 'VmxNet3' }),
    item({ InstanceID: 9, ResourceType: 17, Parent: 3, HostResource: 'ovf:/disk/d0' }),
  ].join('');
  const extra =
    '<OperatingSystemSection id="101" vmw:osType="ubuntu64Guest"><Description>Ubuntu</Description></OperatingSystemSection>' +
    '<vmw:Config vmw:key="firmware" vmw:value="efi"/>';

  it('holds a disk that is compressed as a whole, whose digest is that of the file', async () => {
    const packed = gzipped(DISK);
    const file = `fileRef="f-d0" capacity="${DISK.length}"`;
    const xml = ovf().replace('fileRef="f-d0"', file).replace('href="disk.img"', 'href="disk.img" compression="gzip"');
    const sized = xml.replace('compression=', `size="${packed.data.length}" compression=`);
    const manifest = { name: 'vm.mf', data: `SHA256(disk.img)= ${digest('sha256', packed.data)}` };
    const bytes = tar({ name: 'vm.ovf', data: sized }, manifest, packed);

    expect(await inspect(bytes)).toMatchObject({ virtualSize: DISK.length, findings: [] });
    const image = await ovaModule(engine()).open?.(memorySource(bytes));
    const guest = Buffer.alloc(DISK.length);
    await image?.readInto(0, guest);
    expect(guest.equals(DISK)).toBe(true);
  });

  it('tells the machine, and suggests image properties', async () => {
    const facts = await inspect(tar(descriptor({ items, extra }), disk));

    expect(facts.findings).toEqual([]);
    expect(facts).toMatchObject({
      format: 'ova',
      virtualSize: DISK.length,
      details: {
        disks: 1,
        disk_href: 'disk.img',
        disk_format: 'raw',
        manifest: null,
        cpu: 4,
        memory_mib: 2048,
        os_description: 'Ubuntu',
        vmware_adaptertype: 'paraVirtual',
        hw_disk_bus: 'scsi',
        hw_vif_model: 'vmxnet3',
        hw_firmware_type: 'uefi',
        vmware_ostype: 'ubuntu64Guest',
        min_ram: 2048,
      },
    });
  });

  it('opens the disk inside as a range of the archive', async () => {
    const source = memorySource(tar(descriptor(), disk));

    const image = await ovaModule(engine()).open!(source);
    const bytes = new Uint8Array(image.virtualSize);
    await image.readInto(0, bytes);

    expect(Buffer.from(bytes).equals(DISK)).toBe(true);
  });

  it('takes the descriptor wherever it stands, and percent-encoded names', async () => {
    const encoded = descriptor({ disks: [{ id: 'd0', href: './my%20disk.img' }] });

    expect(await codes(tar({ name: 'my disk.img', data: DISK }, encoded))).toEqual([]);
  });

  it('passes on what is found in the disk', async () => {
    const facts = await inspect(tar(descriptor(), disk), { findings: [finding('backing_file', 'names a file')] });

    expect(facts.findings).toEqual([
      expect.objectContaining({ code: 'backing_file', message: 'disk inside: names a file' }),
    ]);
  });

  it('says when the disk is not as large as the descriptor claims', async () => {
    const claim = { id: 'd0', href: 'disk.img', attributes: 'capacity="1" capacityAllocationUnits="byte * 2^20"' };

    expect(await codes(tar(descriptor({ disks: [claim] }), disk))).toEqual(['capacity_mismatch']);
  });

  it.each(['SHA1', 'SHA256', 'SHA512'])('verifies %s digests', async (algorithm) => {
    const lines = `${algorithm}(disk.img)= ${digest(algorithm, DISK)}\r\n${algorithm} (vm.ovf) = ${digest(algorithm, ovf())}\n`;

    const facts = await inspect(
      tar(descriptor(), { name: 'vm.mf', data: lines }, disk, { name: 'vm.cert', data: 'x' }),
    );

    expect(facts.findings.map(({ code }) => code)).toEqual(['certificate_unverified']);
    expect(facts.details).toMatchObject({ manifest: algorithm });
  });

  it('leaves the digests of large archives to a task, and says so', async () => {
    const source = largeOva(INSPECT_DIGEST_BYTES + 512);

    const facts = await ovaModule(engine()).inspect(source, await probeWindow(source));

    expect(facts.findings.map(({ code }) => code)).toEqual(['manifest_unverified']);
    expect(await verifyOva(source)).toMatchObject([{ code: 'digest_mismatch' }]);
  });
});

const inChunks = (chunkSize: number | string) =>
  descriptor({ disks: [{ id: 'd0', href: 'disk.img', fileAttributes: `chunkSize="${chunkSize}"` }] });
const chunk = (n: number, size: number): TestMember => ({
  name: `disk.img.00000000${n}`,
  data: Buffer.alloc(size, n + 1),
});

describe('an OVA whose disk lies in chunks', () => {
  const archive = tar(inChunks(1024), chunk(1, 1024), chunk(0, 1024), chunk(2, 512));

  it('is read as one disk', async () => {
    expect(await inspect(archive)).toMatchObject({ findings: [], virtualSize: 2560 });

    const image = await ovaModule(engine()).open!(memorySource(archive));
    const bytes = new Uint8Array(2560);
    await image.readInto(0, bytes);
    const pieces = [chunk(0, 1024), chunk(1, 1024), chunk(2, 512)];
    expect(Buffer.from(bytes)).toEqual(Buffer.concat(pieces.map(({ data }) => Buffer.from(data ?? ''))));
  });
});

describe('an OVA from macOS', () => {
  it('is read past what macOS keeps beside its files', async () => {
    const beside = ['vm.ovf', 'vm.mf', 'disk.img'].map((name): TestMember => ({ name: `._${name}`, data: 'Mac OS X' }));

    expect(await inspect(tar(...beside, descriptor(), disk))).toMatchObject({ findings: [], virtualSize: DISK.length });
  });
});

describe('an OVA that must be refused', () => {
  const two = [
    { id: 'd0', href: 'disk.img' },
    { id: 'd1', href: 'other.img' },
  ];
  const at = (href: string) => descriptor({ disks: [{ id: 'd0', href }] });
  const with0 = (attributes: string, fileAttributes = '') =>
    descriptor({ disks: [{ id: 'd0', href: 'disk.img', attributes, fileAttributes }] });
  it.each<[string, Buffer, string]>([
    ['no descriptor', tar(disk), 'no_ovf'],
    ['two descriptors', tar(descriptor(), { name: 'b.ovf', data: ovf() }, disk), 'multiple_ovf'],
    ['two disks', tar(descriptor({ disks: two }), disk), 'multiple_disks'],
    ['no disk', tar(descriptor({ disks: [] }), disk), 'no_disk'],
    ['a disk that is not in the archive', tar(at('missing.img'), disk), 'ovf_reference'],
    ['a disk by URL', tar(at('http://example.org/disk.img'), disk), 'ovf_reference'],
    ['a disk by file URL', tar(at('file:///etc/passwd'), disk), 'ovf_reference'],
    ['a disk by absolute path', tar(at('/etc/passwd'), disk), 'ovf_reference'],
    ['a disk by traversal', tar(at('%2e%2e/disk.img'), disk), 'ovf_reference'],
    ['a disk with NUL in its name', tar(at('disk%00.img'), disk), 'ovf_reference'],
    ['a disk with a broken escape', tar(at('disk%zz'), disk), 'ovf_reference'],
    [
      'a disk behind a link',
      tar(descriptor(), { name: 'disk.img', type: '2', link: '/etc/passwd' }),
      'tar_unsafe_member',
    ],
    ['a sparse member as disk', tar(descriptor(), { name: 'disk.img', type: 'S' }), 'tar_unsafe_member'],
    ['a disk in another compression', tar(with0('capacity="1024"', 'compression="bzip2"'), disk), 'compressed_disk'],
    ['a compressed disk of any length', tar(with0('', 'compression="gzip"'), gzipped(DISK)), 'compressed_disk'],
    ['a compressed disk that is not', tar(with0('capacity="1024"', 'compression="gzip"'), disk), 'corrupt'],
    [
      'a compressed disk that is cut off',
      tar(with0('capacity="1024"', 'compression="gzip"'), { ...disk, data: gzipSync(DISK).subarray(0, -9) }),
      'truncated',
    ],
    [
      'a compressed disk that gives more than its capacity',
      tar(with0('capacity="1024"', 'compression="gzip"'), gzipped(Buffer.alloc(65 * 1024 * 1024))),
      'limit_exceeded',
    ],
    ['chunks that are not there', tar(inChunks(1024), disk), 'ovf_reference'],
    ['chunks without the first', tar(inChunks(1024), chunk(1, 1024)), 'ovf_reference'],
    ['chunks with a gap', tar(inChunks(1024), chunk(0, 1024), chunk(2, 1024)), 'ovf_reference'],
    ['a chunk that is shorter', tar(inChunks(1024), chunk(0, 1000), chunk(1, 1024)), 'ovf_reference'],
    ['a last chunk that is longer', tar(inChunks(1024), chunk(0, 1024), chunk(1, 1025)), 'ovf_reference'],
    ['an empty last chunk', tar(inChunks(1024), chunk(0, 1024), chunk(1, 0)), 'ovf_reference'],
    ['chunks of no size', tar(inChunks(0), chunk(0, 0)), 'ovf_reference'],
    ['chunks of a size that is no number', tar(inChunks('1e3'), chunk(0, 1000)), 'ovf_reference'],
    ['the descriptor as its disk', tar(at('vm.ovf'), disk), 'ovf_reference'],
    ['the manifest as the disk', tar(at('vm.mf'), { name: 'vm.mf', data: '' }, disk), 'ovf_reference'],
    ['the certificate as the disk', tar(at('vm.CERT'), { name: 'vm.CERT', data: 'x' }, disk), 'ovf_reference'],
    ['what macOS keeps beside a descriptor, alone', tar({ name: '._vm.ovf', data: ovf() }, disk), 'no_ovf'],
    ['a disk with a parent', tar(with0('parentRef="base"'), disk), 'ovf_reference'],
    [
      'a wrong digest',
      tar(descriptor(), { name: 'vm.mf', data: `SHA1(disk.img)= ${'0'.repeat(40)}` }, disk),
      'digest_mismatch',
    ],
    [
      'a digest of nothing',
      tar(descriptor(), { name: 'vm.mf', data: `SHA1(x)= ${'0'.repeat(40)}` }, disk),
      'digest_mismatch',
    ],
    ['a manifest that is none', tar(descriptor(), { name: 'vm.mf', data: 'hello' }, disk), 'corrupt'],
    ['a digest that is too short', tar(descriptor(), { name: 'vm.mf', data: 'SHA256(disk.img)= 00' }, disk), 'corrupt'],
    [
      'a manifest of more lines than there can be members',
      tar(descriptor(), { name: 'vm.mf', data: `SHA1(x)= ${'0'.repeat(40)}\n`.repeat(1001) }, disk),
      'limit_exceeded',
    ],
    ['a DOCTYPE', tar(descriptor({ prologue: '<!DOCTYPE a [<!ENTITY b "c">]>' }), disk), 'xml_unsafe'],
    ['an unknown entity', tar(descriptor({ extra: '<Info>&b;</Info>' }), disk), 'xml_unsafe'],
    ['an unbound prefix', tar(descriptor({ extra: '<x:Info/>' }), disk), 'xml_unsafe'],
    ['XML that does not end', tar({ name: 'vm.ovf', data: ovf().slice(0, -4) }, disk), 'xml_unsafe'],
    [
      'XML deeper than 64',
      tar(descriptor({ extra: `${'<a>'.repeat(70)}${'</a>'.repeat(70)}` }), disk),
      'limit_exceeded',
    ],
    [
      'an element of 300 attributes',
      tar(descriptor({ extra: `<a ${Array.from({ length: 300 }, (_, i) => `a${i}=""`).join(' ')}/>` }), disk),
      'limit_exceeded',
    ],
    ['more than 20000 elements', tar(descriptor({ extra: '<a/>'.repeat(20_001) }), disk), 'limit_exceeded'],
    ['a descriptor above 1 MiB', tar(descriptor({ extra: ' '.repeat(1024 * 1024) }), disk), 'limit_exceeded'],
    ['a document that is no Envelope', tar({ name: 'vm.ovf', data: '<html/>' }, disk), 'corrupt'],
    ['an unsafe name anywhere', tar(descriptor(), disk, { name: '../../x' }), 'tar_unsafe_name'],
  ])('%s', async (_, bytes, code) => {
    const { findings } = await inspect(bytes);

    expect(findings).toContainEqual(expect.objectContaining({ code, severity: 'refuse' }));
  });

  it.each(['ova', 'iso', 'gzip'] as const)('a disk that is %s', async (format) => {
    const { findings } = await inspect(tar(descriptor(), disk), { format });

    expect(findings).toMatchObject([{ code: 'ovf_reference', severity: 'refuse' }]);
  });

  it('is not opened either', async () => {
    const source = memorySource(tar(descriptor({ disks: two }), disk));

    await expect(ovaModule(engine()).open!(source)).rejects.toBeInstanceOf(Unsafe);
  });
});

describe('an OVF descriptor', () => {
  it('may be UTF-16, where a DOCTYPE is refused too', () => {
    const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
    const text = '<Envelope><DiskSection/></Envelope>';

    expect(parseOvf(utf16(text)).disks).toEqual([]);
    expect(() => parseOvf(utf16(`<!DOCTYPE a>${text}`))).toThrow(expect.objectContaining({ code: 'xml_unsafe' }));
  });

  it('may prefix every name, attributes included', () => {
    const { disks } = parseOvf(
      Buffer.from(
        '<o:Envelope xmlns:o="http://schemas.dmtf.org/ovf/envelope/1"><o:References><o:File o:id="f" o:href="a.vmdk" o:size="7"/></o:References>' +
          '<o:DiskSection><o:Disk o:diskId="d" o:fileRef="f" o:capacity="3" o:capacityAllocationUnits="GigaBytes"/></o:DiskSection></o:Envelope>',
      ),
    );

    expect(disks).toEqual([{ diskId: 'd', href: 'a.vmdk', capacityBytes: 3 * 2 ** 30, fileSize: 7, hasParent: false }]);
  });

  it.each([
    ['byte', 1],
    ['byte * 2^20', 2 ** 20],
    ['byte*10^9', 1e9],
    ['MegaBytes', 2 ** 20],
    ['parsec', undefined],
  ])('counts capacity in %s', (units, bytes) => {
    const [first] = parseOvf(
      Buffer.from(
        ovf({ disks: [{ id: 'd', href: 'x', attributes: `capacity="1" capacityAllocationUnits="${units}"` }] }),
      ),
    ).disks;

    expect(first?.capacityBytes).toBe(bytes);
  });

  it('is a tree or a typed error, whatever the bytes', () => {
    const seed = Buffer.from(ovf({ items: item({ InstanceID: 1, ResourceType: 3 }) }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          parseXml(bytes);
          parseOvf(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
