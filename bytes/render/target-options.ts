import type { Config } from '../../core/config.ts';
import type { ImportFacts } from '../../core/tasks/task.ts';
import { MIB, type TargetOptions } from '../../formats/convert/plan.ts';
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
  const form = WRITERS.find(({ format, subformat }) => format === target && subformat === settings.subformat);
  const subformat = form?.subformat === undefined ? {} : { subformat: form.subformat };
  const writer: FormatWriter = writerOf({ format: target, ...subformat });
  return {
    target,
    ...subformat,
    ...(writer.compressions.includes(settings.compression) ? { compression: settings.compression } : {}),
    ...(writer.wholeMib === true && settings.whole_mib ? { wholeMib: true } : {}),
    ...(diskId === undefined ? {} : { diskId }),
  };
}

/** What was found of an image, as far as a target is compared with it. */
type Found = Pick<ImportFacts, 'format' | 'found' | 'virtualSize'>;

/** An image is what the configuration would make of it, in the form and with the padding that it asks for. */
export function isTarget({ image_conversion }: Pick<Config, 'image_conversion'>, image: Found): boolean {
  const { target, subformat, wholeMib } = targetOptions({ image_conversion }, image_conversion.output_format);
  if (image.format !== target || (subformat ?? image.found?.subformat) !== image.found?.subformat) return false;
  return wholeMib !== true || (image.virtualSize ?? 0) % MIB === 0;
}
