/**
 * Parsing says what is there; this file says what it means. Format modules report findings by code, `SEVERITY` decides
 * once whether a finding refuses, warns or informs (disk-formats facts section 12). A format module names the codes it
 * can report as its safety rules, and must name at least one: an engine without a rule for a format would pass it unseen.
 */
export type Severity = 'refuse' | 'warn' | 'info';

/** Every finding the engine can report, and its severity. Keys are the stable codes of `glimpse inspect --json`. */
export const SEVERITY = {
  // any format
  empty: 'refuse',
  truncated: 'refuse',
  corrupt: 'refuse',
  format_mismatch: 'refuse',
  multiple_formats: 'refuse',
  unsupported_format: 'refuse',
  virtual_size_limit: 'refuse',
  encrypted: 'refuse',
  odd_length: 'info',
  // qcow2
  backing_file: 'refuse',
  data_file: 'refuse',
  unknown_features: 'refuse',
  corrupt_bit: 'refuse',
  dirty_bit: 'info',
  snapshots: 'info',
} as const satisfies Record<string, Severity>;

export type FindingCode = keyof typeof SEVERITY;

/** One observation about an image; `message` is a sentence for people that names the structure and both values. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
}

/** Makes a finding with the severity the table gives its code. */
export function finding(code: FindingCode, message: string): Finding {
  return { code, severity: SEVERITY[code], message };
}
