/**
 * What inspection makes of what the detectors and parsers say: which formats may match together, which declared format a
 * detected one satisfies, and the verdict (facts sections 1 and 13). By the traits of the formats, no parsing.
 */

import { traitsOf } from './catalog.ts';
import { type Finding, type FindingCode, finding } from './engine/findings.ts';
import type { FormatName } from './engine/image.ts';
import type { FormatTraits } from './engine/traits.ts';

/** `accept-opaque`: stored and hashed as it is, never converted. */
export type Verdict = 'accept' | 'refuse' | 'accept-opaque';

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
  const structured = matches.filter((match) => traitsOf(match).bare !== true);
  const bare = matches.find((match) => traitsOf(match).bare === true);
  const [first] = structured;
  if (first === undefined) return declaredOr(bare ?? 'raw', declared);
  if (structured.length > 1) {
    return {
      format: first,
      findings: [finding('multiple_formats', `the object is ${structured.join(' and ')} at once`)],
    };
  }
  // A compressed ramdisk is a gzip (xz, ...) member too.
  if (bare !== undefined && isSatisfied(bare, traitsOf(first))) return declaredOr(bare, declared);
  return declaredOr(first, declared);
}

function declaredOr(detected: FormatName, declared: FormatName | undefined): Choice {
  if (declared === undefined || declared === detected) return { format: detected, findings: [] };
  const traits = traitsOf(detected);
  // An encrypted volume stays what it is; a bare object is what its owner says.
  if (isSatisfied(declared, traits)) return { format: traits.keepsName === true ? detected : declared, findings: [] };
  return {
    format: detected,
    findings: [finding('format_mismatch', `declared as ${declared}, the content is ${detected}`)],
  };
}

/** True when content of these traits may stand under that name too. */
const isSatisfied = (declared: FormatName, { satisfies }: FormatTraits): boolean =>
  satisfies?.includes(declared) === true;

/** Refused by any finding that refuses; opaque by the format; accepted otherwise. */
export function verdictOf(format: FormatName, findings: readonly Finding[]): Verdict {
  if (findings.some((found) => found.severity === 'refuse')) return 'refuse';
  return traitsOf(format).opaque === true ? 'accept-opaque' : 'accept';
}

/** What a check of the boot record finds: boot flags, the chain of logical partitions, hybrid and protective entries. */
const BOOT_RECORD: readonly FindingCode[] = ['mbr_invalid', 'mbr_protective', 'mbr_empty', 'ebr_chain'];

/** Safety checks that an operator may take for warnings, and their findings. `mbr` is the one that Glance knows, `gptmbr` a synonym. */
export const SAFETY_CHECKS: Readonly<Record<string, readonly FindingCode[]>> = {
  mbr: BOOT_RECORD,
  gptmbr: BOOT_RECORD,
};

/** The findings, those of the named safety checks as warnings at most. */
export function tolerated(findings: readonly Finding[], checks: readonly string[] = []): readonly Finding[] {
  const codes = checks.flatMap((check) => SAFETY_CHECKS[check] ?? []);
  return findings.map((found) =>
    found.severity === 'refuse' && codes.includes(found.code) ? { ...found, severity: 'warn' } : found,
  );
}
