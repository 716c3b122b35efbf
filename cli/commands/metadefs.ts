import type { Command } from 'commander';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { catalogFiles, STANDARD_CATALOG } from '../metadefs/files.ts';
import type { LoadMode } from '../metadefs/load.ts';
import type { Register } from './register.ts';

type Done = (code: ExitCode) => void;

/** Loaded when it is asked for: the schemas of the API would add a third to the start of every other command. */
const work = () => import('../metadefs/catalog.ts');
const openSession = async () => (await import('../login/session.ts')).openSession(process.env);

/**
 * `glimpse metadefs`: the catalog of metadata definitions as files, with the semantics of glance-manage. Exit 0, 3 when a file
 * was refused (the others are loaded), 1 when the service could not be asked.
 */
export const metadefsCommand: Register = (program, done) => {
  const metadefs = program
    .command('metadefs')
    .description('load, unload and export the metadata definitions (OS_* variables)');
  registerLoad(metadefs, done);
  metadefs
    .command('unload')
    .description('remove every namespace, protected or not, and every resource type')
    .action(async () => {
      const { unload } = await work();
      await unload(await openSession());
      done(EXIT.ok);
    });
  metadefs
    .command('export')
    .description('write one file per namespace')
    .argument('<path>', 'directory; made when it is missing')
    .action(async (path: string) => {
      const { exportAll } = await work();
      await exportAll(await openSession(), path);
      done(EXIT.ok);
    });
};

interface LoadOptions {
  readonly merge?: boolean;
  readonly preferNew?: boolean;
  readonly overwrite?: boolean;
}

function registerLoad(metadefs: Command, done: Done): void {
  metadefs
    .command('load')
    .description('make the namespaces of files; those that exist are left alone')
    .argument('[path]', 'file, or directory of *.json files', STANDARD_CATALOG)
    .option('--merge', 'add what existing namespaces lack')
    .option('--prefer-new', 'merge, and change what differs to what the files say')
    .option('--overwrite', 'merge by dropping existing namespaces and writing them anew')
    .action(async (path: string, options: LoadOptions) => {
      const mode = modeOf(options);
      const files = await catalogFiles(path);
      const { loadAll } = await work();
      done(await loadAll(await openSession(), files, mode));
    });
}

function modeOf({ merge, preferNew, overwrite }: LoadOptions): LoadMode {
  if (preferNew === true && overwrite === true) throw new UsageError('--prefer-new and --overwrite exclude each other');
  if (overwrite === true) return 'overwrite';
  if (preferNew === true) return 'prefer-new';
  return merge === true ? 'merge' : 'skip';
}
