import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_MAX_RATIO } from '../../formats/convert/guard.ts';
import type { TargetOptions } from '../../formats/convert/plan.ts';
import { FormatError } from '../../formats/engine/errors.ts';
import type { FormatName } from '../../formats/engine/image.ts';
import type { Compression, FormatWriter } from '../../formats/engine/writer.ts';
import { TARGETS, type TargetName, WRITERS, writerOf } from '../../formats/writers.ts';
import { complain, EXIT, type ExitCode, UsageError } from '../exit.ts';
import { bytesArgument, countArgument, formatArgument, nonfatalOption } from '../options.ts';
import { ProgressBar } from '../progress-bar.ts';
import type { Register } from './register.ts';

/** As the service's default: more than most guests need, less than fills a disk by surprise. */
const DEFAULT_MAX_VIRTUAL_SIZE = 256 * 2 ** 30;

interface Options {
  readonly output: TargetName | keyof typeof QEMU_NAMES;
  readonly subformat?: string;
  readonly wholeMib?: true;
  readonly compress?: Compression;
  readonly clusterSize?: number;
  readonly format?: FormatName;
  readonly maxVirtualSize: number;
  readonly maxRatio: number;
  readonly threads?: number;
  readonly nonfatal?: string;
}

/** What qemu calls some targets. */
const QEMU_NAMES = { vpc: 'vhd' } as const satisfies Readonly<Record<string, TargetName>>;

const targetNamed = (name: Options['output']): TargetName => (name === 'vpc' ? QEMU_NAMES[name] : name);

/** Formats of writers of which something is true. */
const formatsWith = (has: (writer: FormatWriter) => boolean): string =>
  [...new Set(WRITERS.filter(has).map(({ format }) => format))].join(', ');

/** Forms of targets that are written in several. */
const FORMS = WRITERS.flatMap(({ subformat }) => subformat ?? []);

/** Compressions that some target writes. */
const METHODS = [...new Set(WRITERS.flatMap(({ compressions }) => compressions))].filter((name) => name !== 'none');

/** `glimpse convert`: exit 0 done, 3 the image is refused, 1 files could not be read or written. */
export const convertCommand: Register = (program, done) => {
  program
    .command('convert')
    .description('convert an image; the output is sparse, and appears whole or not at all')
    .argument('<in>', 'image of any readable format')
    .argument('<out>', 'file to make')
    .addOption(
      new Option('-O, --output <format>', 'format to make; vpc is vhd')
        .choices([...TARGETS, ...Object.keys(QEMU_NAMES)])
        .default('raw'),
    )
    .addOption(new Option('--subformat <form>', 'form of a vhd: dynamic (default) or fixed').choices(FORMS))
    .option('--whole-mib', 'pad the disk of a vhd or vhdx with zeros to whole MiB, as Azure asks of a fixed vhd')
    .addOption(new Option('--compress <method>', 'compress qcow2 clusters').choices(METHODS))
    .option('--cluster-size <bytes>', 'qcow2 clusters: 512 to 2M (default: 64k)', clusterArgument)
    .option('--format <format>', 'what the image is declared to be: anything else refuses', formatArgument)
    .option('--max-virtual-size <bytes>', 'refuse a larger disk', bytesArgument, DEFAULT_MAX_VIRTUAL_SIZE)
    .option('--max-ratio <n>', 'refuse more bytes of data per byte of the file', countArgument, DEFAULT_MAX_RATIO)
    .addOption(nonfatalOption())
    .option(
      '--threads <n>',
      'threads to work with (default: one per processor), as many as fit into 256 MiB',
      countArgument,
    )
    .action(async (input: string, output: string, options: Options) => {
      done(await convert(input, output, options));
    });
};

function clusterArgument(text: string): number {
  const bytes = bytesArgument(text);
  if (bytes >= 512 && bytes <= 2 ** 21 && Number.isInteger(Math.log2(bytes))) return bytes;
  throw new InvalidArgumentError('a power of two from 512 to 2M');
}

async function convert(input: string, output: string, options: Options): Promise<ExitCode> {
  const target = targetOptions(options);
  if (sameFile(input, output)) throw new UsageError(`${output} is the input`);
  // Loaded by the command that converts: the others start sooner without it.
  const { convertFile } = await import('../convert/job.ts');
  const abort = new AbortController();
  const bar = new ProgressBar('converting');
  const onSignal = (): void => abort.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  try {
    await convertFile(input, output, {
      target,
      ...(options.format === undefined ? {} : { declared: options.format }),
      maxVirtualSize: options.maxVirtualSize,
      maxRatio: options.maxRatio,
      ...(options.nonfatal === undefined ? {} : { nonfatal: options.nonfatal }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      signal: abort.signal,
      onProgress: (share, bytes) => bar.update(share, bytes),
    });
    bar.clear();
    return EXIT.ok;
  } catch (error) {
    bar.clear();
    if (!(error instanceof FormatError)) throw error;
    const code = 'code' in error ? `${String(error.code)}: ` : '';
    complain(`${input}: refused: ${code}${error.message}`);
    return EXIT.refused;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}

function targetOptions(options: Options): TargetOptions {
  const { compress: compression, clusterSize, subformat, wholeMib } = options;
  const target = targetNamed(options.output);
  if (subformat !== undefined && !WRITERS.some((form) => form.format === target && form.subformat === subformat)) {
    throw new UsageError(`--subformat belongs to -O ${formatsWith((writer) => writer.subformat === subformat)}`);
  }
  const writer: FormatWriter = writerOf({ format: target, subformat });
  if (clusterSize !== undefined && writer.clusterSizes === undefined) {
    throw new UsageError(
      `--cluster-size belongs to -O ${formatsWith(({ clusterSizes }) => clusterSizes !== undefined)}`,
    );
  }
  if (wholeMib === true && writer.wholeMib !== true) {
    throw new UsageError(`--whole-mib belongs to -O ${formatsWith((other) => other.wholeMib === true)}`);
  }
  if (compression !== undefined && !writer.compressions.includes(compression)) {
    throw new UsageError(`-O ${target} cannot be compressed with ${compression}`);
  }
  return {
    target,
    compression: compression ?? writer.compressions[0],
    diskId: randomUUID(),
    ...(clusterSize === undefined ? {} : { clusterSize }),
    ...(subformat === undefined ? {} : { subformat }),
    ...(wholeMib === undefined ? {} : { wholeMib }),
  };
}

function sameFile(input: string, output: string): boolean {
  try {
    return realpathSync(input) === realpathSync(output);
  } catch {
    // Not there yet, or not readable: opening it will say so.
    return false;
  }
}
