import { realpathSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_MAX_RATIO } from '../../formats/engine/convert/guard.ts';
import type { Compression, TargetOptions } from '../../formats/engine/convert/plan.ts';
import { FormatError } from '../../formats/engine/errors.ts';
import type { FormatName } from '../../formats/engine/image.ts';
import { convertFile } from '../convert/job.ts';
import { complain, EXIT, type ExitCode, UsageError } from '../exit.ts';
import { bytesArgument, countArgument, formatArgument } from '../options.ts';
import { ProgressBar } from '../progress-bar.ts';
import type { Register } from './register.ts';

/** As the service's default: more than most guests need, less than fills a disk by surprise. */
const DEFAULT_MAX_VIRTUAL_SIZE = 256 * 2 ** 30;

interface Options {
  readonly output: 'raw' | 'qcow2' | 'vmdk';
  readonly compress?: 'zlib' | 'zstd';
  readonly clusterSize?: number;
  readonly format?: FormatName;
  readonly maxVirtualSize: number;
  readonly maxRatio: number;
  readonly threads?: number;
}

/** `glimpse convert`: exit 0 done, 3 the image is refused, 1 files could not be read or written. */
export const convertCommand: Register = (program, done) => {
  program
    .command('convert')
    .description('convert an image; the output is sparse, and appears whole or not at all')
    .argument('<in>', 'image of any readable format')
    .argument('<out>', 'file to make')
    .addOption(new Option('-O, --output <format>', 'format to make').choices(['raw', 'qcow2', 'vmdk']).default('raw'))
    .addOption(new Option('--compress <method>', 'compress qcow2 clusters').choices(['zlib', 'zstd']))
    .option('--cluster-size <bytes>', 'qcow2 clusters: 512 to 2M (default: 64k)', clusterArgument)
    .option('--format <format>', 'what the image is declared to be: anything else refuses', formatArgument)
    .option('--max-virtual-size <bytes>', 'refuse a larger disk', bytesArgument, DEFAULT_MAX_VIRTUAL_SIZE)
    .option('--max-ratio <n>', 'refuse more bytes of data per byte of the file', countArgument, DEFAULT_MAX_RATIO)
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

function targetOptions({ output, compress, clusterSize }: Options): TargetOptions {
  if (output === 'qcow2') {
    const compression: Compression = compress ?? 'none';
    return { target: 'qcow2', compression, ...(clusterSize === undefined ? {} : { clusterSize }) };
  }
  if (clusterSize !== undefined) throw new UsageError('--cluster-size belongs to -O qcow2');
  if (compress === 'zstd' || (compress !== undefined && output === 'raw')) {
    throw new UsageError(`-O ${output} cannot be compressed with ${compress}`);
  }
  return { target: output };
}

function sameFile(input: string, output: string): boolean {
  try {
    return realpathSync(input) === realpathSync(output);
  } catch {
    // Not there yet, or not readable: opening it will say so.
    return false;
  }
}
