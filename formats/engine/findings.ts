import { FormatError, Unsafe } from './errors.ts';

/**
 * Parsing says what is there; this file says what it means. Format modules report findings by code, `SEVERITY` decides
 * once whether a finding refuses, warns or informs (disk-formats facts section 12). A format module names the codes it
 * can report as its safety rules, and must name at least one: an engine without a rule for a format would pass it unseen.
 */
export type Severity = 'refuse' | 'warn' | 'info';

/** Every finding the engine can report, and its severity. Keys are the stable codes of `glimpse inspect --json`. */
const SEVERITY = {
  // any format
  empty: 'refuse',
  truncated: 'refuse',
  corrupt: 'refuse',
  format_mismatch: 'refuse',
  multiple_formats: 'refuse',
  unsupported_format: 'refuse',
  virtual_size_limit: 'refuse',
  encrypted: 'refuse',
  limit_exceeded: 'refuse',
  odd_length: 'info',
  nested_format: 'warn',
  // qcow2
  backing_file: 'refuse',
  data_file: 'refuse',
  unknown_features: 'refuse',
  corrupt_bit: 'refuse',
  dirty_bit: 'info',
  snapshots: 'info',
  // partition tables
  mbr_invalid: 'refuse',
  mbr_protective: 'refuse',
  mbr_empty: 'info',
  ebr_chain: 'refuse',
  gpt_corrupt: 'refuse',
  gpt_primary_damaged: 'warn',
  gpt_backup_damaged: 'warn',
  gpt_unprotected: 'warn',
  partition_outside: 'warn',
  partition_overlap: 'warn',
  // tar, and what is carried in it
  tar_unsafe_name: 'refuse',
  tar_duplicate: 'refuse',
  tar_unsafe_member: 'refuse',
  digest_mismatch: 'refuse',
  // OVA
  no_ovf: 'refuse',
  multiple_ovf: 'refuse',
  no_disk: 'refuse',
  multiple_disks: 'refuse',
  ovf_reference: 'refuse',
  xml_unsafe: 'refuse',
  compressed_disk: 'refuse',
  capacity_mismatch: 'warn',
  manifest_unverified: 'info',
  certificate_unverified: 'info',
  // docker
  no_manifest: 'warn',
  json_unsafe: 'refuse',
  docker_reference: 'refuse',
  // kernels and ramdisks
  unknown_kernel: 'info',
  // LUKS
  luks_version: 'refuse',
  luks_container: 'info',
  // ISO 9660
  boot_catalog: 'warn',
  // gzip, xz, zstd, bzip2, zip
  compressed_wrapper: 'info',
  // VMDK, VHD, VHDX, VDI, ploop
  vmdk_type: 'refuse',
  vmdk_descriptor: 'refuse',
  external_extent: 'refuse',
  footer_mismatch: 'refuse',
  differencing: 'refuse',
  bad_checksum: 'refuse',
  unsupported_version: 'refuse',
  unsupported_type: 'refuse',
  in_use: 'refuse',
  saved_state: 'warn',
  data_beyond: 'warn',
  unclean_shutdown: 'warn',
  unknown_flags: 'warn',
  log_replayed: 'info',
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

const CODE_OF_ERROR = {
  Truncated: 'truncated',
  Corrupt: 'corrupt',
  Unsupported: 'unsupported_format',
  LimitExceeded: 'limit_exceeded',
  SourceChanged: 'corrupt',
} as const satisfies Record<Exclude<FormatError['kind'], 'Unsafe'>, FindingCode>;

/** The finding that says what a typed error said. @throws whatever is not a FormatError, unchanged. */
export function asFinding(error: unknown): Finding {
  if (!(error instanceof FormatError)) throw error;
  if (error instanceof Unsafe && Object.hasOwn(SEVERITY, error.code)) {
    return finding(error.code as FindingCode, error.message);
  }
  return finding(error.kind === 'Unsafe' ? 'corrupt' : CODE_OF_ERROR[error.kind], error.message);
}
