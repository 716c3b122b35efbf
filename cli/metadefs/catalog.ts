/** What `glimpse metadefs` does: the catalog from files to the service, and back. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../../api/client.ts';
import { kindOf } from '../../api/errors.ts';
import {
  type NamespaceFile,
  namespaceFileName,
  namespaceFileText,
  parseNamespaceFile,
} from '../../api/metadefs/namespace-file.ts';
import { complain, EXIT, type ExitCode, reason } from '../exit.ts';
import { printable } from '../printable.ts';
import { readText, writeWhole } from './files.ts';
import { type LoadMode, loadNamespace } from './load.ts';
import { dropNamespace, findNamespace, listNamespaces } from './namespaces.ts';

/** A file is checked as a whole before anything of it is sent; one that is refused does not keep the others back. */
export async function loadAll(client: Client, paths: readonly string[], mode: LoadMode): Promise<ExitCode> {
  let refused = 0;
  for (const [at, path] of paths.entries()) {
    const problem = await loadFile(client, path, mode, (text) => say(at, paths.length, text));
    if (problem === undefined) continue;
    refused += 1;
    complain(problem);
  }
  return refused === 0 ? EXIT.ok : EXIT.refused;
}

/** @returns why the file was refused */
async function loadFile(
  client: Client,
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
    report(`${file.namespace} ${await loadNamespace(client, file, mode)}`);
    return undefined;
  } catch (error) {
    if (kindOf(error) !== undefined) return `${path}: ${reason(error)}`;
    throw error;
  }
}

/** Removes every namespace and every resource type. */
export async function unload(client: Client): Promise<void> {
  const namespaces = await listNamespaces(client);
  for (const [at, shown] of namespaces.entries()) {
    await dropNamespace(client, shown);
    say(at, namespaces.length, `${shown.namespace} removed`);
  }
  const { resource_types: types } = await client.listResourceTypes();
  for (const { name } of types) await client.deleteResourceType({ params: { resource_type: name } });
}

/** Writes one file per namespace. Two namespaces that people see under one name get the namespace's own name into the file's. */
export async function exportAll(client: Client, path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const namespaces = await listNamespaces(client);
  const written = new Set<string>();
  for (const [at, { namespace }] of namespaces.entries()) {
    const shown = await findNamespace(client, namespace);
    if (shown === undefined) continue;
    const usual = namespaceFileName(shown);
    const name = written.has(usual) ? namespaceFileName({ namespace: `${usual.slice(0, -5)} ${namespace}` }) : usual;
    written.add(name);
    await writeWhole(join(path, name), namespaceFileText(shown));
    say(at, namespaces.length, `${namespace} → ${name}`);
  }
}

function say(at: number, of: number, text: string): void {
  process.stdout.write(`[${at + 1}/${of}] ${printable(text)}\n`);
}
