import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  type NamespaceFile,
  namespaceFileName,
  namespaceFileText,
  parseNamespaceFile,
} from '../../api/metadefs/namespace-file.ts';
import { complain, EXIT, type ExitCode, reason, UsageError } from '../exit.ts';
import type { Register } from '../main.ts';
import { catalogFiles, readText, STANDARD_CATALOG, writeWhole } from '../metadefs/files.ts';
import { type LoadMode, loadNamespace } from '../metadefs/load.ts';
import { dropNamespace, findNamespace, listNamespaces } from '../metadefs/namespaces.ts';
import { ApiError, openSession, type Session } from '../session.ts';

type Done = (code: ExitCode) => void;

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
      await unload(await openSession(process.env));
      done(EXIT.ok);
    });
  metadefs
    .command('export')
    .description('write one file per namespace')
    .argument('<path>', 'directory; made when it is missing')
    .action(async (path: string) => {
      await exportAll(await openSession(process.env), path);
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
      done(await loadAll(await catalogFiles(path), mode, () => openSession(process.env)));
    });
}

function modeOf({ merge, preferNew, overwrite }: LoadOptions): LoadMode {
  if (preferNew === true && overwrite === true) throw new UsageError('--prefer-new and --overwrite exclude each other');
  if (overwrite === true) return 'overwrite';
  if (preferNew === true) return 'prefer-new';
  return merge === true ? 'merge' : 'skip';
}

/** A file is checked as a whole before anything of it is sent; one that is refused does not keep the others back. */
async function loadAll(paths: readonly string[], mode: LoadMode, open: () => Promise<Session>): Promise<ExitCode> {
  let refused = 0;
  const session = await open();
  for (const [at, path] of paths.entries()) {
    const problem = await loadFile(session, path, mode, (text) => say(at, paths.length, text));
    if (problem === undefined) continue;
    refused += 1;
    complain(problem);
  }
  return refused === 0 ? EXIT.ok : EXIT.refused;
}

/** @returns why the file was refused */
async function loadFile(
  session: Session,
  path: string,
  mode: LoadMode,
  report: (text: string) => void,
): Promise<string | undefined> {
  const text = await readText(path);
  let file: NamespaceFile;
  try {
    file = parseNamespaceFile(text, path);
  } catch (error) {
    return reason(error);
  }
  try {
    report(`${file.namespace} ${await loadNamespace(session, file, mode)}`);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return `${path}: ${error.message}`;
    throw error;
  }
}

async function unload(session: Session): Promise<void> {
  const namespaces = await listNamespaces(session);
  for (const [at, shown] of namespaces.entries()) {
    await dropNamespace(session, shown);
    say(at, namespaces.length, `${shown.namespace} removed`);
  }
  const { resource_types: types } = await session.request<{ resource_types: readonly { name: string }[] }>(
    'GET',
    '/v2/metadefs/resource_types',
  );
  for (const { name } of types)
    await session.request('DELETE', `/v2/metadefs/resource_types/${encodeURIComponent(name)}`);
}

/** Two namespaces that people see under one name get the namespace's own name into the file's. */
async function exportAll(session: Session, path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const namespaces = await listNamespaces(session);
  const written = new Set<string>();
  for (const [at, { namespace }] of namespaces.entries()) {
    const shown = await findNamespace(session, namespace);
    if (shown === undefined) continue;
    const usual = namespaceFileName(shown);
    const name = written.has(usual) ? namespaceFileName({ namespace: `${usual.slice(0, -5)} ${namespace}` }) : usual;
    written.add(name);
    await writeWhole(join(path, name), namespaceFileText(shown));
    say(at, namespaces.length, `${namespace} → ${name}`);
  }
}

function say(at: number, of: number, text: string): void {
  process.stdout.write(`[${at + 1}/${of}] ${text}\n`);
}
