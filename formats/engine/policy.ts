/**
 * What inspection makes of what the detectors and parsers say: which formats may match together, which declared format a
 * detected one satisfies, and the verdict (facts sections 1 and 13). Tables, no parsing.
 */
import { type Finding, finding } from './findings.ts';
import type { FormatName } from './image.ts';

/** `accept-opaque`: stored and hashed as it is, never converted. */
export type Verdict = 'accept' | 'refuse' | 'accept-opaque';

/** Kernels and ramdisks have no structure that a hypervisor would open as a disk: matching one is never a conflict. */
const BARE: ReadonlySet<FormatName> = new Set(['aki', 'ari', 'ami', 'raw']);

/** Containers of content that the engine does not look into. */
const OPAQUE: ReadonlySet<FormatName> = new Set(['luks', 'gzip', 'xz', 'zstd', 'bzip2', 'zip']);

const COMPRESSED = ['gzip', 'xz', 'zstd', 'bzip2'] as const;

/** Detected formats that satisfy a declared one besides the same name. Absent: only the same name. */
const SATISFIES: Partial<Record<FormatName, readonly FormatName[]>> = {
  raw: ['aki', 'ari', 'ami', 'luks'],
  ami: ['raw', 'aki', 'ari'],
  aki: ['raw', 'ari', ...COMPRESSED],
  ari: ['raw', 'aki', ...COMPRESSED],
};

/** The format an object is taken for, out of all that matched. */
export interface Choice {
  readonly format: FormatName;
  readonly findings: readonly Finding[];
}

/**
 * Chooses among the matches; exactly one structured format may match. A hybrid ISO's partition table is no format of its
 * own here, so ISO with MBR or GPT is one match.
 */
export function chooseFormat(matches: readonly FormatName[], declared: FormatName | undefined): Choice {
  const structured = matches.filter((match) => !BARE.has(match));
  const bare = matches.find((match) => BARE.has(match));
  const [first] = structured;
  if (first === undefined) return declaredOr(bare ?? 'raw', declared);
  if (structured.length > 1) {
    return {
      format: first,
      findings: [finding('multiple_formats', `the object is ${structured.join(' and ')} at once`)],
    };
  }
  // A compressed ramdisk is a gzip (xz, ...) member too.
  if (bare !== undefined && COMPRESSED.some((wrapper) => wrapper === first)) return declaredOr(bare, declared);
  return declaredOr(first, declared);
}

function declaredOr(detected: FormatName, declared: FormatName | undefined): Choice {
  if (declared === undefined || declared === detected) return { format: detected, findings: [] };
  if (SATISFIES[declared]?.includes(detected) === true) {
    // An encrypted volume stays what it is; a bare object is what its owner says.
    return { format: detected === 'luks' ? detected : declared, findings: [] };
  }
  return {
    format: detected,
    findings: [finding('format_mismatch', `declared as ${declared}, the content is ${detected}`)],
  };
}

/** Refused by any finding that refuses; opaque by the format; accepted otherwise. */
export function verdictOf(format: FormatName, findings: readonly Finding[]): Verdict {
  if (findings.some((found) => found.severity === 'refuse')) return 'refuse';
  return OPAQUE.has(format) ? 'accept-opaque' : 'accept';
}

/** What an image can be declared to be: Glance's disk formats, and the containers whose content decides. */
export const DECLARABLE: readonly FormatName[] = [
  'raw',
  'qcow2',
  'vmdk',
  'vhd',
  'vhdx',
  'vdi',
  'ploop',
  'iso',
  'ami',
  'aki',
  'ari',
  'ova',
  'docker',
  'luks',
];
