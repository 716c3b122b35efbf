import type { Config } from '../../core/config.ts';
import type { TargetOptions } from '../../formats/convert/plan.ts';
import type { FormatWriter } from '../../formats/engine/writer.ts';
import { TARGETS, WRITERS, writerOf } from '../../formats/writers.ts';

/**
 * What an import makes of an image: what the configuration says holds for the targets that offer it.
 * @param format what the plugin decided on
 * @param diskId UUID of the image, so that a second try writes the same bytes
 * @throws TypeError for a format that nothing writes
 */
export function targetOptions(
  { image_conversion: settings }: Pick<Config, 'image_conversion'>,
  format: string,
  diskId?: string,
): TargetOptions {
  const target = TARGETS.find((name) => name === format);
  if (target === undefined) throw new TypeError(`${format} is no target of a conversion`);
  const hasForm = WRITERS.some((form) => form.format === target && form.subformat === settings.subformat);
  const subformat = hasForm ? { subformat: settings.subformat } : {};
  const writer: FormatWriter = writerOf({ format: target, ...subformat });
  return {
    target,
    ...subformat,
    ...(writer.compressions.includes(settings.compression) ? { compression: settings.compression } : {}),
    ...(writer.wholeMib === true && settings.whole_mib ? { wholeMib: true } : {}),
    ...(diskId === undefined ? {} : { diskId }),
  };
}
