/**
 * The parsers of the formats in the catalog, in the order in which findings are listed; raw last, for it is what remains. A new
 * format is a folder with traits and a `FormatModule`, a line in `catalog.ts` and one here.
 */
import { FORMATS } from './catalog.ts';
import { dockerModule } from './docker/module.ts';
import { Unsafe, Unsupported } from './engine/errors.ts';
import type { DiskImage, FormatModule, FormatName } from './engine/image.ts';
import type { ByteSource } from './engine/source.ts';
import { probeWindow } from './engine/window.ts';
import { isoModule } from './iso/module.ts';
import { akiModule, ariModule } from './kernel/module.ts';
import { luksModule } from './luks/module.ts';
import { type InnerEngine, ovaModule } from './ova/module.ts';
import { ploop } from './ploop/module.ts';
import { type Choice, chooseFormat } from './policy.ts';
import { qcow2 } from './qcow2/module.ts';
import { raw } from './raw/module.ts';
import { archiveModules, cowdModule, dmgModule, qcow1Module, qedModule, sesparseModule } from './unsupported/module.ts';
import { vdi } from './vdi/module.ts';
import { vhd } from './vhd/module.ts';
import { vhdx } from './vhdx/module.ts';
import { vmdk } from './vmdk/module.ts';
import { bzip2Module, gzipModule, packedModules, xzModule, zipModule, zstdModule } from './wrappers/module.ts';

/**
 * Checks a list of modules once, at start.
 * @throws TypeError for a module without a safety rule or that the catalog does not have, for two modules of one format, or when
 *   raw is not last
 */
export function checkedModules(modules: readonly FormatModule[]): readonly FormatModule[] {
  const seen = new Set<FormatName>();
  for (const module of modules) {
    if (module.safetyRules.length === 0) throw new TypeError(`format ${module.format} declares no safety rule`);
    if (!FORMATS.some(({ format }) => format === module.format)) {
      throw new TypeError(`format ${module.format} is not in the catalog`);
    }
    if (seen.has(module.format)) throw new TypeError(`format ${module.format} is registered twice`);
    seen.add(module.format);
  }
  if (modules.at(-1)?.format !== 'raw') throw new TypeError('the last format must be raw');
  return modules;
}

/** Everything that can stand inside an archive: all formats but the archive of disks itself. */
const SINGLE: readonly FormatModule[] = [
  qcow2,
  vmdk,
  vhd,
  vhdx,
  vdi,
  ploop,
  isoModule,
  dockerModule,
  luksModule,
  qedModule,
  qcow1Module,
  cowdModule,
  sesparseModule,
  ...archiveModules,
  dmgModule,
  gzipModule,
  xzModule,
  zstdModule,
  bzip2Module,
  zipModule,
  ...packedModules,
  akiModule,
  ariModule,
  raw,
];

/** The engine for the disk inside an OVA: the same detection, one level deep. */
const inner: InnerEngine = {
  async open(source) {
    const { module, choice } = await detect(source);
    const [refused] = choice.findings;
    if (refused !== undefined) throw new Unsafe(refused.code, `disk in the archive: ${refused.message}`);
    if (module.open === undefined) throw new Unsupported(`disk in the archive: ${choice.format} is not opened`);
    return module.open(source);
  },
  async inspect(source) {
    const { module, choice, window } = await detect(source);
    const facts = await module.inspect(source, window);
    return { ...facts, findings: [...choice.findings, ...facts.findings] };
  },
};

async function detect(source: ByteSource): Promise<{
  readonly module: FormatModule;
  readonly choice: Choice;
  readonly window: Awaited<ReturnType<typeof probeWindow>>;
}> {
  const window = await probeWindow(source);
  const matches = SINGLE.filter((module) => module.probe(window)).map((module) => module.format);
  const choice = chooseFormat(matches, undefined);
  return { module: SINGLE.find((module) => module.format === choice.format) ?? raw, choice, window };
}

/** Every format module, raw last. */
export const MODULES: readonly FormatModule[] = checkedModules([ovaModule(inner), ...SINGLE]);

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
