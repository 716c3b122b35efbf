import type { FormatName } from '../../formats/engine/image.ts';
import { type Inspection, inspect } from '../../formats/inspect.ts';
import { fileSource } from '../../formats/node/file-source.ts';
import { complain, EXIT, type ExitCode, reason } from '../exit.ts';
import { inspectionJson, inspectionTable } from '../inspection-view.ts';
import { bytesArgument, checksOf, formatArgument, nonfatalOption } from '../options.ts';
import { printableJson } from '../printable.ts';
import type { Register } from './register.ts';

interface Options {
  readonly json?: boolean;
  readonly format?: FormatName;
  readonly maxVirtualSize?: number;
  readonly nonfatal?: string;
}

/** `glimpse inspect`: exit 0 when all are accepted, 3 when one is refused, 1 when one could not be read. */
export const inspectCommand: Register = (program, done) => {
  program
    .command('inspect')
    .description('say what an image is, what is in it, and whether it is safe')
    .argument('<file...>', 'images')
    .option('--json', 'one JSON object per line and file')
    .option('--format <format>', 'what it is declared to be: anything else refuses', formatArgument)
    .option('--max-virtual-size <bytes>', 'refuse a larger disk (k, M, G, T)', bytesArgument)
    .addOption(nonfatalOption())
    .action(async (files: string[], options: Options) => {
      let worst: ExitCode = EXIT.ok;
      for (const file of files) worst = worse(worst, await inspectFile(file, options));
      done(worst);
    });
};

async function inspectFile(file: string, options: Options): Promise<ExitCode> {
  let inspection: Inspection;
  try {
    inspection = await inspectPath(file, options);
  } catch (error) {
    complain(`${file}: ${reason(error)}`);
    return EXIT.io;
  }
  process.stdout.write(
    options.json === true ? `${printableJson(inspectionJson(file, inspection))}\n` : inspectionTable(file, inspection),
  );
  return inspection.verdict === 'refuse' ? EXIT.refused : EXIT.ok;
}

async function inspectPath(file: string, options: Options): Promise<Inspection> {
  const source = await fileSource(file);
  try {
    return await inspect(source, {
      ...(options.format === undefined ? {} : { declared: options.format }),
      ...(options.maxVirtualSize === undefined ? {} : { maxVirtualSize: options.maxVirtualSize }),
      nonfatal: checksOf(options),
    });
  } finally {
    await source.close();
  }
}

/** A file that could not be read weighs more than one that was refused: its answer is missing. */
function worse(a: ExitCode, b: ExitCode): ExitCode {
  const rank = [EXIT.ok, EXIT.refused, EXIT.io] as readonly ExitCode[];
  return rank.indexOf(a) >= rank.indexOf(b) ? a : b;
}
