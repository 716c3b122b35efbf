import type { Config } from '../config.ts';
import { KEPT_FORMATS } from '../formats.ts';
import type { Image } from '../images/image.ts';

/** Content of `format` is what image_conversion may open: an iso stays an iso, and so does what is in a container. */
export function isConvertible(image: Pick<Image, 'containerFormat' | 'diskFormat'>, format: string): boolean {
  return (
    image.containerFormat === 'bare' && !KEPT_FORMATS.includes(format) && !KEPT_FORMATS.includes(image.diskFormat ?? '')
  );
}

/** An import of what the image declares will store other bytes than those that arrive: their hashes would be of no use. */
export function isToBeConverted(
  config: Pick<Config, 'image_conversion' | 'image_import_plugins'>,
  image: Pick<Image, 'containerFormat' | 'diskFormat'>,
): boolean {
  const { diskFormat } = image;
  if (diskFormat === null || diskFormat === config.image_conversion.output_format) return false;
  return config.image_import_plugins.includes('image_conversion') && isConvertible(image, diskFormat);
}
