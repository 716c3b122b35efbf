/** Formats that are known by name and always refused: old, or only ever a part of something (facts section 1). */

import type { NamedTraits } from '../catalog.ts';
import { view } from '../engine/bytes.ts';
import { finding } from '../engine/findings.ts';
import type { FormatModule } from '../engine/image.ts';
import { hasText } from '../engine/match.ts';
import { ANDROID_SPARSE, COWD, DMG, NTFSCLONE, QCOW1, QED, RAR, SESPARSE, SEVEN_ZIP, VMA, WIM } from './traits.ts';

/** A module that recognises a format and refuses it, saying why. */
function refused(
  traits: NamedTraits,
  why: string,
  matches: (head: Uint8Array, tail: Uint8Array) => boolean,
): FormatModule {
  const { format } = traits;
  return {
    ...traits,
    safetyRules: ['unsupported_format'],
    probe: ({ head, tail }) => matches(head, tail),
    inspect: async () => ({ format, findings: [finding('unsupported_format', why)], details: {} }),
  };
}

function u32(head: Uint8Array, offset: number, little: boolean): number {
  return head.length < offset + 4 ? 0 : view(head).getUint32(offset, little);
}

/** QEMU Enhanced Disk. */
export const qedModule = refused(QED, 'QED is a banned format: convert it to qcow2 with its own tools', (head) =>
  hasText(head, 0, 'QED\0'),
);

/** The first qcow: version 1 of the magic that qcow2 shares. */
export const qcow1Module = refused(
  QCOW1,
  'qcow version 1 is not supported: convert it to qcow2',
  (head) => hasText(head, 0, 'QFI\xfb') && u32(head, 4, false) === 1,
);

/** ESX copy-on-write extent. */
export const cowdModule = refused(COWD, 'a COWD extent (ESX sparse) is a part of a disk, not a disk', (head) =>
  hasText(head, 0, 'COWD'),
);

/** ESX space-efficient sparse extent. */
export const sesparseModule = refused(
  SESPARSE,
  'a seSparse extent is a part of a disk, not a disk',
  (head) => u32(head, 0, true) === 0xcafebabe && u32(head, 4, true) === 0,
);

/** Archives and backups that hold a disk, each by the magic at its start. */
export const archiveModules: readonly FormatModule[] = (
  [
    [SEVEN_ZIP, "7z\xbc\xaf'\x1c", 'a 7z archive is no disk: unpack it first'],
    [RAR, 'Rar!\x1a\x07', 'a RAR archive is no disk: unpack it first'],
    [ANDROID_SPARSE, '\x3a\xff\x26\xed', 'a sparse image of Android is not supported: expand it with simg2img'],
    [WIM, 'MSWIM\0\0\0', 'a WIM archive is no disk: apply it to one'],
    [VMA, 'VMA\0', 'a VMA backup is no disk: extract it with vma'],
    [NTFSCLONE, '\0ntfsclone-image', 'an image of ntfsclone is not supported: restore it with ntfsclone'],
  ] as const
).map(([traits, magic, why]) => refused(traits, why, (head) => hasText(head, 0, magic)));

const DMG_TRAILER_BYTES = 512;

/** Its structures hang on a trailer, so that a raw disk with one behind it would be two things at once. */
export const dmgModule = refused(
  DMG,
  'an Apple disk image is not supported: convert it with its own tools',
  (_, tail) => hasText(tail, tail.length - DMG_TRAILER_BYTES, 'koly\0\0\0\x04\0\0\x02\0'),
);
