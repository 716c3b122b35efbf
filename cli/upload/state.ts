/** What is known of an upload that is under way, in a file of the cache folder: enough to go on after anything that ended the command. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageInput } from '../../api/images/create-body.ts';
import { writeOwnFile } from '../cache-folder.ts';

/** Who sends what where: the same words mean the same upload. */
export interface UploadKey {
  /** Real path of the file. */
  readonly path: string;
  /** Address of the service. */
  readonly service: string;
  readonly project: string;
  readonly name: string;
}

export interface UploadState extends UploadKey {
  /** As `fileIdentity` of the path. */
  readonly identity: string;
  /** The record, with the id that was chosen before it was made: made twice, it is one. */
  readonly record: ImageInput & { readonly id: string };
  readonly stores?: readonly string[];
  /** The file is sent as it is, or as the compressed qcow2 that it was rendered to. */
  readonly form: 'as-is' | 'qcow2';
  /** The upload session, once there is one. */
  readonly uploadId?: string;
}

const VERSION = 1;

/** Files of an upload's state, beside each other. */
export function stateFiles(folder: string, { path, service, project, name }: UploadKey) {
  const digest = createHash('sha256')
    .update(JSON.stringify([path, service, project, name]))
    .digest('hex')
    .slice(0, 32);
  const base = join(folder, 'uploads', digest);
  return { state: `${base}.json`, lock: `${base}.lock`, rendered: `${base}.qcow2` };
}

/** What was written last; undefined when there is nothing, or nothing that this version reads. */
export function readState(file: string): UploadState | undefined {
  try {
    const { version, ...state } = JSON.parse(readFileSync(file, 'utf8')) as UploadState & { readonly version: number };
    return version === VERSION ? state : undefined;
  } catch {
    return undefined;
  }
}

/** @throws the file system's errors: what cannot be noted cannot be gone on with */
export function writeState(file: string, state: UploadState): void {
  writeOwnFile(file, JSON.stringify({ version: VERSION, ...state }));
}

export function removeState({ state, rendered }: Pick<ReturnType<typeof stateFiles>, 'state' | 'rendered'>): void {
  rmSync(state, { force: true });
  rmSync(rendered, { force: true });
}
