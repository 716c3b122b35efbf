import { createHash } from 'node:crypto';
import type { ByteSource } from '../../../formats/engine/source.ts';

/** A member of a test archive; `type` and `link` as in a tar header. */
export interface TestMember {
  readonly name: string;
  readonly data?: Uint8Array | string;
  readonly type?: string;
  readonly link?: string;
  /** Overrides the size field, octal text or raw bytes. */
  readonly sizeField?: Uint8Array;
}

/** A ustar header block with a right checksum. */
export function tarHeader(member: TestMember, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(member.name, 0, 100, 'utf8');
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  if (member.sizeField !== undefined) block.set(member.sizeField, 124);
  block.write('00000000000\0', 136);
  block.write(member.type ?? '0', 156);
  block.write(member.link ?? '', 157, 100, 'utf8');
  block.write('ustar\x0000', 257, 'latin1');
  return checksummed(block);
}

/** Writes the checksum of a header block in place. */
export function checksummed(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** An archive of members, ended by two zero blocks. */
export function tar(...members: TestMember[]): Buffer {
  const blocks = members.flatMap((member) => {
    const data = Buffer.from(member.data ?? '');
    return [tarHeader(member, data.length), data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** One pax record, its length counting itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) length++;
  return `${length}${rest}`;
}

export interface TestOvf {
  readonly disks?: readonly { id: string; href: string; attributes?: string; fileAttributes?: string }[];
  readonly items?: string;
  readonly extra?: string;
  readonly prologue?: string;
}

/** An OVF descriptor in the default namespace. */
export function ovf({
  disks = [{ id: 'd0', href: 'disk.img' }],
  items = '',
  extra = '',
  prologue = '',
}: TestOvf = {}): string {
  const files = disks
    .map((disk) => `<File id="f-${disk.id}" href="${disk.href}" ${disk.fileAttributes ?? ''}/>`)
    .join('');
  const rows = disks
    .map((disk) => `<Disk diskId="${disk.id}" fileRef="f-${disk.id}" ${disk.attributes ?? ''}/>`)
    .join('');
  return [
    '<?xml version="1.0"?>',
    prologue,
    '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:vmw="http://www.vmware.com/schema/ovf">',
    `<References>${files}</References><DiskSection>${rows}</DiskSection>`,
    `<VirtualSystem id="vm">${extra}<VirtualHardwareSection>${items}</VirtualHardwareSection></VirtualSystem>`,
    '</Envelope>',
  ].join('');
}

/** An Item of virtual hardware from its children. */
export function item(children: Readonly<Record<string, string | number>>): string {
  const inner = Object.entries(children).map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<Item>${inner.join('')}</Item>`;
}

export function digest(algorithm: string, data: Uint8Array | string): string {
  return createHash(algorithm).update(data).digest('hex');
}

/** An appliance with a disk of `size` zeros, which lie nowhere, and a manifest that gives another digest. */
export function largeOva(size: number): ByteSource {
  const head = tar({ name: 'vm.ovf', data: ovf() }, { name: 'vm.mf', data: `SHA1(disk.img)= ${'0'.repeat(40)}` });
  const header = tarHeader({ name: 'disk.img' }, size);
  const front = Buffer.concat([head.subarray(0, -1024), header]);
  return {
    size: front.length + size + 1024,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      if (offset < front.length) bytes.set(front.subarray(offset, offset + length));
      return bytes;
    },
  };
}
