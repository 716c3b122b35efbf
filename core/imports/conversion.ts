import type { Config } from '../config.ts';
import { KEPT_FORMATS } from '../formats.ts';
import type { Image } from '../images/image.ts';
import { isSigned } from '../signatures/properties.ts';
import type { Task } from '../tasks/task.ts';

/** Content of `format` is what image_conversion may open: an iso stays an iso, and so does what is in a container. */
export function isConvertible(image: Pick<Image, 'containerFormat' | 'diskFormat'>, format: string): boolean {
  return (
    image.containerFormat === 'bare' && !KEPT_FORMATS.includes(format) && !KEPT_FORMATS.includes(image.diskFormat ?? '')
  );
}

/**
 * A signature is of the bytes that arrived: plugins leave those of a signed image alone, unless it may lose its signature. Then nobody
 * can tell by it any more what is stored. One that needs a signature does not lose it.
 */
export function mayChangeBytes({ signed_images }: SignedConfig, task: Pick<Task, 'import'>): boolean {
  const signature = task.import?.signature;
  return signature === undefined || (signed_images.allow_conversion && !signature.isRequired);
}

type SignedConfig = Pick<Config, 'signed_images'>;

/** An import of what the image declares will store other bytes than those that arrive: their hashes would be of no use. */
export function isToBeConverted(
  config: Pick<Config, 'image_conversion' | 'image_import_plugins' | 'signed_images'>,
  image: Pick<Image, 'containerFormat' | 'diskFormat' | 'properties' | 'visibility'>,
): boolean {
  const { diskFormat } = image;
  const { allow_conversion, require_signature } = config.signed_images;
  const mayLoseSignature = allow_conversion && require_signature[image.visibility] === 'never';
  if (isSigned(image.properties) && !mayLoseSignature) return false;
  if (diskFormat === null || diskFormat === config.image_conversion.output_format) return false;
  return config.image_import_plugins.includes('image_conversion') && isConvertible(image, diskFormat);
}
