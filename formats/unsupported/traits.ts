import type { FormatTraits } from '../engine/traits.ts';

/** QEMU Enhanced Disk. */
export const QED = { format: 'qed' } as const satisfies FormatTraits;

/** The first qcow. */
export const QCOW1 = { format: 'qcow1' } as const satisfies FormatTraits;

/** ESX copy-on-write extent. */
export const COWD = { format: 'cowd' } as const satisfies FormatTraits;

/** ESX space-efficient sparse extent. */
export const SESPARSE = { format: 'sesparse' } as const satisfies FormatTraits;
