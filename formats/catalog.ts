/**
 * Every format by its traits, raw last. Data alone, so that who needs a name loads no parser; `registry.ts` has the parsers. What is
 * outside the engine's reach (the service's rules may not import it) is printed from here into core/formats.ts.
 */
import { DOCKER } from './docker/traits.ts';
import type { FormatTraits } from './engine/traits.ts';
import { ISO } from './iso/traits.ts';
import { AKI, ARI } from './kernel/traits.ts';
import { LUKS } from './luks/traits.ts';
import { OVA } from './ova/traits.ts';
import { PLOOP } from './ploop/traits.ts';
import { QCOW2 } from './qcow2/traits.ts';
import { AMI, RAW } from './raw/traits.ts';
import {
  ANDROID_SPARSE,
  COWD,
  DMG,
  NTFSCLONE,
  QCOW1,
  QED,
  RAR,
  SESPARSE,
  SEVEN_ZIP,
  VMA,
  WIM,
} from './unsupported/traits.ts';
import { VDI } from './vdi/traits.ts';
import { VHD } from './vhd/traits.ts';
import { VHDX } from './vhdx/traits.ts';
import { VMDK } from './vmdk/traits.ts';
import { BZIP2, COMPRESS, GZIP, LZ4, LZIP, LZMA, LZOP, XZ, ZIP, ZSTD } from './wrappers/traits.ts';

const ALL = [
  OVA,
  QCOW2,
  VMDK,
  VHD,
  VHDX,
  VDI,
  PLOOP,
  ISO,
  DOCKER,
  LUKS,
  QED,
  QCOW1,
  COWD,
  SESPARSE,
  SEVEN_ZIP,
  RAR,
  ANDROID_SPARSE,
  DMG,
  WIM,
  VMA,
  NTFSCLONE,
  GZIP,
  XZ,
  ZSTD,
  BZIP2,
  ZIP,
  LZMA,
  LZ4,
  LZOP,
  LZIP,
  COMPRESS,
  AKI,
  ARI,
  AMI,
  RAW,
] as const;

/** Names of what detection can tell apart, and of what an owner can say that bytes are. */
export type FormatName = (typeof ALL)[number]['format'];

/** Traits of a format whose name is known. */
export type NamedTraits = FormatTraits & { readonly format: FormatName };

/** Every format, in the order in which findings are listed. */
export const FORMATS: readonly NamedTraits[] = ALL;

/** Traits by name; of no format when the name is not one. */
export function traitsOf(format: string): FormatTraits {
  return FORMATS.find((traits) => traits.format === format) ?? { format };
}

/** What an image can be declared to be: Glance's disk formats, and the containers whose content decides. */
export const DECLARABLE: readonly FormatName[] = FORMATS.filter(({ glance }) => glance !== undefined).map(
  ({ format }) => format,
);
