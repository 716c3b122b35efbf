import type { Config } from '../config.ts';
import { CONTAINER_FORMATS } from '../formats.ts';
import type { Image } from './image.ts';

/** What an inspection found, as far as the rules look at it (formats/inspect.ts gives more). */
export interface Found {
  readonly format: string;
  readonly matches: readonly string[];
  readonly virtualSize: number | null;
  readonly verdict: 'accept' | 'refuse' | 'accept-opaque';
  readonly findings: readonly { readonly code: string; readonly severity: string; readonly message: string }[];
  readonly subformat?: string;
}

/** Containers of Amazon's, which hold what they are named after, and the kinds of content that `strict_kernels` judges. */
const AMAZON = ['aki', 'ari', 'ami'];
const KERNELS = ['aki', 'ari'];

/**
 * What the owner says the bytes are, for the inspection: the disk format of a bare image, the container where that is a format
 * of its own; with `strict_kernels` also a kernel or ramdisk in a container of Amazon's. Undefined when the content is not inspected
 * (contract: import.md section 8, scope).
 */
export function declaredFormat(
  image: Pick<Image, 'diskFormat' | 'containerFormat'>,
  { strict_kernels }: Pick<Config['image_format'], 'strict_kernels'>,
): string | undefined {
  const { diskFormat, containerFormat } = image;
  const isKernel = KERNELS.includes(diskFormat ?? '') && AMAZON.includes(containerFormat ?? '');
  if (strict_kernels && diskFormat !== null && isKernel) return diskFormat;
  if (containerFormat !== null && CONTAINER_FORMATS.includes(containerFormat)) return containerFormat;
  return containerFormat === 'bare' && diskFormat !== null ? diskFormat : undefined;
}

/** A kernel or ramdisk that nobody recognises: as Glance does, it is taken, unless strict_kernels is on. */
const UNKNOWN_KERNEL = 'unknown_kernel';

/** Findings about the declaration alone: with require_image_format_match off they do not refuse. */
const ABOUT_DECLARATION = ['format_mismatch'];

/**
 * Why content may not be stored, as a sentence; undefined when it may. Refusing findings refuse whatever the configuration says,
 * except a mere mismatch when `require_image_format_match` is off; `strict_kernels` refuses what is no kernel or ramdisk. (What `gpt_safety_checks_nonfatal` names does not refuse.)
 */
export function contentRefusal(declared: string, found: Found, options: Config['image_format']): string | undefined {
  const refusing = found.findings.filter((finding) => refuses(finding, options));
  if (refusing.length === 0) return vmdkRefusal(found, options);
  const unsafe = refusing.filter(({ code }) => !ABOUT_DECLARATION.includes(code));
  if (unsafe.length === 0) return `Image disk_format ${declared} does not match stream data ${found.format}`;
  return `Image failed safety checks: ${unsafe.map(({ code, message }) => `${code}: ${message}`).join('; ')}`;
}

function refuses({ code, severity }: Found['findings'][number], options: Config['image_format']): boolean {
  if (code === UNKNOWN_KERNEL) return options.strict_kernels;
  return severity === 'refuse' && !(ABOUT_DECLARATION.includes(code) && !options.require_image_format_match);
}

function vmdkRefusal(found: Found, options: Config['image_format']): string | undefined {
  if (found.format !== 'vmdk' || found.subformat === undefined || options.vmdk_allowed_types.includes(found.subformat))
    return undefined;
  return `VMDK type ${found.subformat} is not one of vmdk_allowed_types: ${options.vmdk_allowed_types.join(', ') || 'none'}`;
}
