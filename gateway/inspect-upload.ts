import type { ImageReader } from '../aws/s3/stored-image.ts';
import type { Config } from '../core/config.ts';
import { UnsupportedMedia } from '../core/errors.ts';
import type { Image } from '../core/images/image.ts';
import { contentRefusal } from '../core/images/judge-content.ts';
import type { Log } from '../core/ports.ts';
import type { FormatName } from '../formats/image.ts';
import { inspect } from '../formats/inspect.ts';

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
  const { diskFormat, containerFormat } = image;
  if (containerFormat !== 'bare' || diskFormat === null) return null;
  const isRaw = diskFormat === 'raw';
  // Nova uploads an empty raw file for a volume-backed snapshot; any other format has a header.
  if (isRaw && reader.size === 0) return null;
  const found = await inspect(reader, { signal, ...(isRaw ? {} : { declared: diskFormat as FormatName }) });
  const refusal = contentRefusal(diskFormat, found, deps.config.image_format);
  if (refusal !== undefined) throw new UnsupportedMedia(refusal);
  if (found.verdict === 'refuse') {
    deps.log.warn('an upload was accepted because configuration tolerates what was found', {
      image: image.id,
      findings: found.findings.map(({ code }) => code),
    });
  }
  return (isRaw ? reader.size : found.virtualSize) || null;
}
