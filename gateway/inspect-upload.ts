import type { ImageReader } from '../bytes/stored-image.ts';
import type { Config } from '../core/config.ts';
import { UnsupportedMedia } from '../core/errors.ts';
import type { Image } from '../core/images/image.ts';
import { contentRefusal, declaredFormat } from '../core/images/judge-content.ts';
import type { Log } from '../core/log.ts';
import type { FormatName } from '../formats/engine/image.ts';
import { inspect, verifyWhole } from '../formats/inspect.ts';

/**
 * Inspects uploaded bytes by the rules of import.md section 8, all digests of an appliance among them, and returns the virtual size, when it is known and not zero.
 * @throws UnsupportedMedia when the content is not what disk_format says, or fails a safety check
 */
export async function inspectUpload(
  deps: { readonly config: Config; readonly log: Log },
  image: Image,
  reader: ImageReader,
  signal: AbortSignal,
): Promise<number | null> {
  const declared = declaredFormat(image, deps.config.image_format);
  // Nova snapshots a volume-backed server as an image of any format without bytes.
  if (declared === undefined || reader.size === 0) return null;
  const { config } = deps;
  const found = await inspect(reader, {
    declared: declared as FormatName,
    maxVirtualSize: config.max_virtual_size,
    nonfatal: config.image_format.gpt_safety_checks_nonfatal,
    signal,
  });
  refuse(declared, found, config);
  // What reads every byte comes last.
  const whole = await verifyWhole(reader, found.format);
  refuse(declared, { ...found, findings: whole }, config);
  if (found.findings.some(({ severity }) => severity === 'refuse')) {
    deps.log.warn('stored in spite of findings that the configuration tolerates', {
      image: image.id,
      findings: found.findings.map(({ code }) => code),
    });
  }
  return found.virtualSize || null;
}

function refuse(declared: string, found: Parameters<typeof contentRefusal>[1], { image_format }: Config): void {
  const refusal = contentRefusal(declared, found, image_format);
  if (refusal !== undefined) throw new UnsupportedMedia(refusal);
}
