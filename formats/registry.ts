/**
 * The formats the engine knows, in the order in which findings are listed; raw last, for it is what remains. A new
 * format is a folder with a `FormatModule` and one line here.
 */
import { Unsupported } from './errors.ts';
import type { DiskImage, FormatModule, FormatName } from './image.ts';
import { qcow2 } from './qcow2/module.ts';
import { raw } from './raw/module.ts';
import type { ByteSource } from './source.ts';

/**
 * Checks a list of modules once, at start.
 * @throws TypeError for a module without a safety rule, for two modules of one format, or when raw is not last
 */
export function checkedModules(modules: readonly FormatModule[]): readonly FormatModule[] {
  const seen = new Set<FormatName>();
  for (const module of modules) {
    if (module.safetyRules.length === 0) throw new TypeError(`format ${module.format} declares no safety rule`);
    if (seen.has(module.format)) throw new TypeError(`format ${module.format} is registered twice`);
    seen.add(module.format);
  }
  if (modules.at(-1)?.format !== 'raw') throw new TypeError('the last format must be raw');
  return modules;
}

/** Every format module, raw last. */
export const MODULES: readonly FormatModule[] = checkedModules([qcow2, raw]);

/** The module of a format, or undefined for a name without a module. */
export function moduleOf(format: FormatName): FormatModule | undefined {
  return MODULES.find((module) => module.format === format);
}

/**
 * Opens an object as the given format, which the caller has verified with `inspect`.
 * @throws Unsupported for formats that are never opened; Unsafe for what inspection refuses; Truncated, Corrupt, LimitExceeded
 */
export async function openImage(source: ByteSource, format: FormatName): Promise<DiskImage> {
  const module = moduleOf(format);
  if (module?.open === undefined) throw new Unsupported(`images of format ${format} are not opened for reading`);
  return module.open(source);
}
