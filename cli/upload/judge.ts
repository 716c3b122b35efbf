/** What an image service would say of a file, said before a byte of it is sent. */
import { DECLARABLE, FORMATS, traitsOf } from '../../formats/catalog.ts';
import { Unsafe } from '../../formats/engine/errors.ts';
import type { FormatName } from '../../formats/engine/image.ts';
import { type Inspection, inspect } from '../../formats/inspect.ts';
import { fileSource } from '../../formats/node/file-source.ts';
import { UsageError } from '../exit.ts';

export interface Judged {
  readonly inspection: Inspection;
  readonly diskFormat: string;
  readonly containerFormat: string;
}

/** What somebody says that a file is. */
export interface Declared {
  readonly diskFormat?: string | undefined;
  readonly containerFormat?: string | undefined;
  readonly nonfatal?: readonly string[];
}

/**
 * @throws Unsafe with the finding that refuses it; UsageError for a format that no image can have, or when it has to be said; the file
 *   system's errors
 */
export async function judgeFile(path: string, said: Declared): Promise<Judged> {
  const declared = declaredFormat(said);
  const source = await fileSource(path);
  let inspection: Inspection;
  try {
    inspection = await inspect(source, { ...(declared && { declared }), nonfatal: said.nonfatal ?? [] });
  } finally {
    await source.close();
  }
  const found = inspection.matches.map(traitsOf).find(({ wrapper }) => wrapper === true);
  // What is compressed is the service's to unpack, and to judge then.
  if (found !== undefined && declared !== undefined) return { inspection, ...formatsOf(declared, said) };
  const refused = inspection.findings.find(({ severity }) => severity === 'refuse');
  if (refused !== undefined) throw new Unsafe(refused.code, refused.message);
  return { inspection, ...formatsOf(inspection.format, said) };
}

/** A container whose content is looked at decides, as in the service. */
function declaredFormat({ diskFormat, containerFormat }: Declared): FormatName | undefined {
  const container = FORMATS.find(
    ({ glance }) => glance !== undefined && 'container' in glance && glance.container === containerFormat,
  );
  if (container !== undefined) return container.format;
  if (diskFormat === undefined) return undefined;
  const disk = FORMATS.find(({ glance }) => glance !== undefined && 'disk' in glance && glance.disk === diskFormat);
  if (disk === undefined) throw new UsageError(`--disk-format ${diskFormat}: one of ${DECLARABLE.join(', ')}`);
  return disk.format;
}

function formatsOf(format: FormatName, { diskFormat, containerFormat }: Declared): Omit<Judged, 'inspection'> {
  const { glance } = traitsOf(format);
  if (glance === undefined) {
    throw new UsageError(`the file is ${format}, which is no format of images: say what it holds with --disk-format`);
  }
  const own =
    'disk' in glance
      ? { disk: glance.disk, container: 'bare' }
      : { disk: glance.holds ?? 'raw', container: glance.container };
  return { diskFormat: diskFormat ?? own.disk, containerFormat: containerFormat ?? own.container };
}
