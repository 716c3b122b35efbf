/** Formats that are known by name and always refused: old, or only ever a part of something (facts section 1). */

import type { NamedTraits } from '../catalog.ts';
import { view } from '../engine/bytes.ts';
import { finding } from '../engine/findings.ts';
import type { FormatModule } from '../engine/image.ts';
import { hasText } from '../engine/match.ts';
import { COWD, QCOW1, QED, SESPARSE } from './traits.ts';

/** A module that recognises a format and refuses it, saying why. */
function refused(traits: NamedTraits, why: string, matches: (head: Uint8Array) => boolean): FormatModule {
  const { format } = traits;
  return {
    ...traits,
    safetyRules: ['unsupported_format'],
    probe: ({ head }) => matches(head),
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
