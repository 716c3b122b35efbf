import { randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Option } from 'commander';
import type { Compression } from '../../formats/engine/writer.ts';
import { TARGETS, type TargetName, WRITERS, writerOf } from '../../formats/writers.ts';
import { complain, EXIT, type ExitCode, reason, UsageError } from '../exit.ts';
import { shortBytes } from '../human.ts';
import { countArgument } from '../options.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

interface Options extends ServiceOptions {
  readonly output?: TargetName;
  readonly compress?: Compression;
  readonly parallel?: number;
}

const METHODS = [...new Set(WRITERS.flatMap(({ compressions }) => compressions))];

/** `glimpse download`: exit 0 the file is there and verified, 3 it cannot be converted, 1 it could not be fetched or written: the same command goes on. */
export const downloadCommand: Register = (program, done) => {
  onService(
    program
      .command('download')
      .description(
        'fetch an image into a file: in parallel, verified, sparse; what was cut short goes on with the same command',
      ),
    'a JSON object: image, file, size, os_hash_algo, os_hash_value',
  )
    .argument('<image>', 'id or name')
    .argument('<out>', 'file to make')
    .addOption(
      new Option('-O, --output <format>', 'convert while it arrives (default: as it is stored)').choices(TARGETS),
    )
    .addOption(new Option('--compress <method>', 'compress what is converted').choices(METHODS))
    .option('--parallel <n>', 'ranges to fetch at once (default: 8)', countArgument)
    .action(async (which: string, out: string, options: Options) => {
      done(await download(which, out, options));
    });
};

async function download(which: string, out: string, options: Options): Promise<ExitCode> {
  const [session, { downloadImage }, { findImage }, { PhaseBars }, { writeJson, writeLine }, { FormatError }] =
    await Promise.all([
      serviceOf(options),
      import('../download/download.ts'),
      import('../images/find.ts'),
      import('../progress-bar.ts'),
      import('../output.ts'),
      import('../../formats/engine/errors.ts'),
    ]);
  const image = await findImage(session.client, which);
  const abort = new AbortController();
  const onSignal = (): void => abort.abort(new Error('interrupted: the same command goes on'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  const bars = new PhaseBars();
  try {
    await downloadImage(session, image, out, {
      target: targetOf(options, image.disk_format),
      parallel: options.parallel,
      signal: abort.signal,
      onProgress: (phase, bytes, total) => bars.update(phase, bytes, total),
    });
    bars.end();
    const { id, size, os_hash_algo, os_hash_value } = image;
    if (options.json === true) writeJson({ image: id, file: out, size, os_hash_algo, os_hash_value });
    else writeLine(`${id}  ${out}  ${size === null ? '' : shortBytes(size)}, ${os_hash_algo ?? 'md5'} as stored`);
    return EXIT.ok;
  } catch (error) {
    bars.end();
    if (error instanceof UsageError) throw error;
    complain(`${out}: ${explained(error, out)}`);
    return error instanceof FormatError ? EXIT.refused : EXIT.io;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}

/** @returns undefined for an image that has that format already */
function targetOf({ output, compress }: Options, format: string | null) {
  if (output === undefined || (output === format && compress === undefined)) {
    if (compress !== undefined && output === undefined) throw new UsageError('--compress belongs to -O');
    return undefined;
  }
  const { compressions } = writerOf({ format: output });
  if (compress !== undefined && !compressions.includes(compress)) {
    throw new UsageError(`-O ${output} cannot be compressed with ${compress}`);
  }
  return { target: output, compression: compress ?? compressions[0], diskId: randomUUID() };
}

function explained(error: unknown, out: string): string {
  if ((error as NodeJS.ErrnoException | null)?.code !== 'ENOSPC') return reason(error);
  const { bavail, bsize } = statfsSync(dirname(out));
  return `no space left (${shortBytes(bavail * bsize)} free); what arrived is kept in ${out}.part, and the same command goes on`;
}
