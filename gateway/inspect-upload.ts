import type { ImageReader } from '../aws/s3/stored-image.ts';
import type { Config } from '../core/config.ts';
import { UnsupportedMedia } from '../core/errors.ts';
import type { Image } from '../core/images/image.ts';
import type { Log } from '../core/ports.ts';
import type { Finding, FindingCode } from '../formats/findings.ts';
import type { FormatName } from '../formats/image.ts';
import { type Inspection, inspect } from '../formats/inspect.ts';

/** Names of `gpt_safety_checks_nonfatal`, and the findings they stand for. */
const NONFATAL: Readonly<Record<string, readonly FindingCode[]>> = {
  mbr: ['mbr_invalid', 'ebr_chain'],
  gptmbr: ['mbr_protective', 'mbr_empty'],
};

/** What the content says about formats, not about safety: `require_image_format_match` decides on these. */
const MISMATCH: ReadonlySet<FindingCode> = new Set(['format_mismatch', 'multiple_formats']);

/**
 * Inspects uploaded bytes by the rules of import.md section 8 and returns the virtual size, when it is known and not zero. Declared
 * raw takes any content; what the content is must be safe even so.
 * @throws UnsupportedMedia when the content is not what disk_format says, or fails a safety check
 */
export async function inspectUpload(
  deps: { readonly config: Config; readonly log: Log },
  image: Image,
  reader: ImageReader,
  signal: AbortSignal,
): Promise<number | null> {
  if (image.containerFormat !== 'bare') return null;
  const isRaw = image.diskFormat === 'raw';
  // Nova uploads an empty raw file for a volume-backed snapshot; any other format has a header.
  if (isRaw && reader.size === 0) return null;
  const declared = isRaw ? {} : { declared: image.diskFormat as FormatName };
  const inspection = await inspect(reader, { ...declared, signal });
  const refusals = refusalsOf(inspection, deps.config);
  const unsafe = refusals.filter(({ code }) => !MISMATCH.has(code));
  const mismatch = refusals.filter(({ code }) => MISMATCH.has(code));
  if (unsafe.length > 0 && mismatch.length === 0) throw unsafeContent(unsafe);
  if (mismatch.length > 0 && !isRaw) onMismatch(deps, image, inspection, mismatch);
  if (unsafe.length > 0) throw unsafeContent(unsafe);
  return (isRaw ? reader.size : inspection.virtualSize) || null;
}

function refusalsOf(inspection: Inspection, config: Config): Finding[] {
  const tolerated = new Set(config.image_format.gpt_safety_checks_nonfatal.flatMap((name) => NONFATAL[name] ?? []));
  return inspection.findings.filter(({ code, severity }) => severity === 'refuse' && !tolerated.has(code));
}

function unsafeContent(findings: readonly Finding[]): UnsupportedMedia {
  return new UnsupportedMedia(
    `Image failed safety checks: ${findings.map(({ code, message }) => `${code}: ${message}`).join('; ')}`,
  );
}

function onMismatch(
  deps: { readonly config: Config; readonly log: Log },
  image: Image,
  inspection: Inspection,
  findings: readonly Finding[],
): void {
  const found = inspection.matches.join(', ') || 'raw';
  const message = `Image disk_format ${image.diskFormat} does not match stream data ${found}`;
  if (deps.config.image_format.require_image_format_match) throw new UnsupportedMedia(message);
  deps.log.warn(message, { image: image.id, findings: findings.map(({ code }) => code) });
}
