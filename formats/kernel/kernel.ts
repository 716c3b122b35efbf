/** Linux kernels as they are stored in AKI images: x86 bzImage, ELF, EFI zboot, ARM64 and RISC-V Image. Facts section 2. */
import { view } from '../engine/bytes.ts';
import { fieldText, hasText } from '../engine/match.ts';

/** What a kernel's own header says. `architecture` in Glance's words. */
export interface KernelFacts {
  readonly kernel: 'linux-x86' | 'elf' | 'efi-zboot' | 'linux-arm64' | 'linux-riscv';
  readonly architecture?: string;
  /** Release and build text, when the header points to it. */
  readonly kernelVersion?: string;
  readonly bootProtocol?: string;
  readonly compression?: string;
}

/** ELF machine numbers → `architecture` values of Nova. */
const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: 'i686',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'armv7l',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv64',
  258: 'loongarch64',
};

/** The version text has no stated length; 256 bytes hold every `uname -v` line. */
const VERSION_BYTES = 256;

/** True when the first bytes (1 KiB are enough) are a kernel's. */
export function isKernelHead(head: Uint8Array): boolean {
  return kernelFacts(head) !== undefined;
}

/** Facts of the kernel whose first bytes (68 KiB) these are, or undefined. */
export function kernelFacts(head: Uint8Array): KernelFacts | undefined {
  return zboot(head) ?? arm64(head) ?? riscv(head) ?? bzImage(head) ?? elf(head);
}

/** Linux x86 boot protocol: "HdrS" at 0x202, protocol at 0x206, pointer to the version text (less 0x200) at 0x20e. */
function bzImage(head: Uint8Array): KernelFacts | undefined {
  if (!hasText(head, 0x202, 'HdrS') || head.length < 0x218) return undefined;
  const data = view(head);
  const protocol = data.getUint16(0x206, true);
  const pointer = data.getUint16(0x20e, true);
  const text = pointer === 0 ? '' : fieldText(head, pointer + 0x200, VERSION_BYTES);
  const version = text.split(' ')[0] ?? '';
  return {
    kernel: 'linux-x86',
    bootProtocol: `${protocol >> 8}.${(protocol & 0xff).toString().padStart(2, '0')}`,
    // XLF_KERNEL_64 (bit 0 of xloadflags) exists since protocol 2.12
    ...(protocol >= 0x20c && head.length > 0x237 ? { architecture: x86Width(data.getUint16(0x236, true)) } : {}),
    ...(isPrintable(version) ? { kernelVersion: version } : {}),
  };
}

function x86Width(loadFlags: number): string {
  return (loadFlags & 1) === 1 ? 'x86_64' : 'i686';
}

function elf(head: Uint8Array): KernelFacts | undefined {
  if (!hasText(head, 0, '\x7fELF') || head.length < 64) return undefined;
  const little = head[5] === 1;
  if (!little && head[5] !== 2) return undefined;
  const architecture = ELF_MACHINES[view(head).getUint16(18, little)];
  return { kernel: 'elf', ...(architecture === undefined ? {} : { architecture }) };
}

/** EFI zboot: "MZ", "zimg" at 4, name of the compression at 24. */
function zboot(head: Uint8Array): KernelFacts | undefined {
  if (!hasText(head, 0, 'MZ') || !hasText(head, 4, 'zimg')) return undefined;
  const compression = fieldText(head, 24, 8);
  return { kernel: 'efi-zboot', ...(isPrintable(compression) ? { compression } : {}) };
}

function arm64(head: Uint8Array): KernelFacts | undefined {
  return hasText(head, 0x38, 'ARMd') ? { kernel: 'linux-arm64', architecture: 'aarch64' } : undefined;
}

function riscv(head: Uint8Array): KernelFacts | undefined {
  return hasText(head, 0x38, 'RSC\x05') ? { kernel: 'linux-riscv', architecture: 'riscv64' } : undefined;
}

function isPrintable(text: string): boolean {
  return /^[\x21-\x7e]+$/u.test(text);
}
