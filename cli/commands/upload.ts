import { basename } from 'node:path';
import { complain, EXIT, type ExitCode, reason, UsageError } from '../exit.ts';
import { shortBytes } from '../human.ts';
import { checksOf, countArgument, nonfatalOption } from '../options.ts';
import { type ImageOptions, recordOf, withImageOptions } from './image-options.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

interface Options extends ImageOptions, ServiceOptions {
  readonly asIs?: boolean;
  readonly restart?: boolean;
  readonly parallel?: number;
  readonly nonfatal?: string;
}

/** `glimpse upload`: exit 0 when all are active, 3 when one is refused, 1 when one could not be read or sent: the same command goes on. */
export const uploadCommand: Register = (program, done) => {
  const command = program
    .command('upload')
    .description(
      'make images of files: each is looked at, sent in parts and imported; what was cut short goes on with the same command',
    )
    .argument('<file...>', 'images of any format; - reads a pipe to its end first')
    .option('--as-is', 'send a raw disk with holes as it is, not as the compressed qcow2 that holds the same')
    .option('--restart', 'give up what an earlier command sent of it, and begin anew')
    .option('--parallel <n>', 'parts to send at once (default: 8, as many as fit into 256 MiB)', countArgument)
    .addOption(nonfatalOption());
  onService(withImageOptions(command), 'one JSON object per image and line').action(
    async (files: string[], options: Options) => {
      if (files.length > 1 && options.name !== undefined) throw new UsageError('--name is for one file');
      let worst: ExitCode = EXIT.ok;
      for (const file of files) worst = Math.max(worst, await uploadOne(file, options)) as ExitCode;
      done(worst);
    },
  );
};

async function uploadOne(file: string, options: Options): Promise<ExitCode> {
  const [
    session,
    { uploadFile, ImportFailed },
    { PhaseBars },
    { printImage },
    { cacheFolder },
    { kindOf },
    { FormatError },
  ] = await Promise.all([
    serviceOf(options),
    import('../upload/upload.ts'),
    import('../progress-bar.ts'),
    import('../imports/settle.ts'),
    import('../cache-folder.ts'),
    import('../../api/errors.ts'),
    import('../../formats/engine/errors.ts'),
  ]);
  const bars = new PhaseBars();
  const abort = new AbortController();
  const onSignal = (): void => abort.abort(new Error('interrupted: the same command goes on'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  const from = file === '-' ? await spoolInput(cacheFolder()) : { path: file, remove: () => undefined };
  try {
    const name = file === '-' ? 'image' : nameOf(file);
    const { diskFormat, containerFormat } = options;
    const image = await uploadFile(session, from.path, {
      cacheFolder: cacheFolder(),
      recordOf: (found) => ({ ...recordOf(options, { name, ...found }), name: options.name ?? name }),
      declared: { diskFormat, containerFormat, nonfatal: checksOf(options) },
      stores: options.stores,
      asIs: options.asIs === true,
      restart: options.restart === true,
      canGoOn: file !== '-',
      parallel: options.parallel,
      signal: abort.signal,
      onProgress: (phase, bytes, total) => bars.update(phase, bytes, total),
      onNote: (line) => complain(line),
    });
    bars.end();
    printImage(image, options.json);
    return EXIT.ok;
  } catch (error) {
    bars.end();
    const refused = error instanceof FormatError || error instanceof ImportFailed;
    if (error instanceof UsageError) throw error;
    complain(`${file}: ${refused ? 'refused: ' : ''}${reason(error)}${hintOf(kindOf(error))}`);
    return refused ? EXIT.refused : EXIT.io;
  } finally {
    from.remove();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}

/** What to do about it. */
const hintOf = (kind: string | undefined): string =>
  kind === 'Unauthenticated' ? ' (log in again: the same command goes on where this one ended)' : '';

/** Without folder and extension. */
const nameOf = (file: string): string => basename(file).replace(/(?<=.)\.[A-Za-z0-9]{1,6}$/, '');

async function spoolInput(folder: string) {
  const { spool } = await import('../upload/spool.ts');
  return spool(process.stdin, folder, (bytes) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Kreading ${shortBytes(bytes)}`);
  });
}
