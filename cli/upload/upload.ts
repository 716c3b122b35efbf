/**
 * One file becomes one image, whatever ends the command on its way: every step looks at what is there before it does anything, and the
 * image's id is chosen and noted before the record is made.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { kindOf } from '../../api/errors.ts';
import type { ImageAnswer } from '../../api/images/answers.ts';
import type { ImageInput } from '../../api/images/create-body.ts';
import type { ImportAnswer } from '../../api/imports/answers.ts';
import { fileSource } from '../../formats/node/file-source.ts';
import { showImage } from '../images/find.ts';
import { followImport, lastImport } from '../imports/follow.ts';
import { takeLock } from '../lock.ts';
import type { Session } from '../login/session.ts';
import { type Tries, trying } from '../transfer/tries.ts';
import { assertUnchanged, FileChanged, fileIdentity } from './file-identity.ts';
import { type Judged, judgeFile } from './judge.ts';
import { type PartPlace, sendParts } from './send-parts.ts';
import { hasHoles, shrink, shrunkLine } from './shrink.ts';
import { readState, removeState, stateFiles, type UploadState, writeState } from './state.ts';

export interface UploadOptions {
  readonly cacheFolder: string;
  /** What the image is to be, from what the engine found. */
  recordOf(found: Pick<Judged, 'diskFormat' | 'containerFormat'>): ImageInput & { readonly name: string };
  readonly declared: Parameters<typeof judgeFile>[1];
  readonly stores?: readonly string[] | undefined;
  /** Never another form of the file than its own. */
  readonly asIs: boolean;
  /** Gives an upload up that an earlier command left, and begins anew. */
  readonly restart: boolean;
  /** Whether the same file is there for another command; of a pipe, what failed is taken away at once. */
  readonly canGoOn: boolean;
  readonly parallel?: number | undefined;
  readonly signal: AbortSignal;
  readonly tries?: Tries;
  onProgress?(phase: string, done: number, total: number): void;
  /** What a person wants to know, one line. */
  onNote?(line: string): void;
}

/** The import of an image that was sent whole ended badly. */
export class ImportFailed extends Error {}

/**
 * Sends a file, imports it, and waits for the image.
 * @returns the active image
 * @throws Unsafe when the service would refuse it; FileChanged; ImportFailed; the service's error kinds; the file system's errors. What
 *   was sent is gone on with by the same call, but for a file that changed or was refused
 */
export async function uploadFile(session: Session, path: string, options: UploadOptions): Promise<ImageAnswer> {
  const real = realpathSync(path);
  const { baseUrl: service, login } = session;
  const name = options.recordOf({ diskFormat: '', containerFormat: '' }).name;
  const files = stateFiles(options.cacheFolder, { path: real, service, project: login.project, name });
  const release = takeLock(files.lock);
  try {
    const run = new Upload(session, files, options);
    const state = await run.begin(real, { path: real, service, project: login.project, name });
    return await run.finish(state);
  } finally {
    release();
  }
}

/** Statuses of an image that never was active. */
const UNFINISHED: ReadonlySet<string> = new Set(['queued', 'uploading', 'importing']);

type Files = ReturnType<typeof stateFiles>;

class Upload {
  readonly #session: Session;
  readonly #files: Files;
  readonly #options: UploadOptions;

  constructor(session: Session, files: Files, options: UploadOptions) {
    this.#session = session;
    this.#files = files;
    this.#options = options;
  }

  /** The state of an earlier command, or a new one. */
  async begin(path: string, key: Pick<UploadState, 'path' | 'service' | 'project' | 'name'>): Promise<UploadState> {
    const options = this.#options;
    const before = readState(this.#files.state);
    const identity = fileIdentity(path);
    if (before !== undefined && !options.restart) {
      if (before.identity !== identity) {
        throw new FileChanged(
          `${path} changed since its upload began (image ${before.record.id}); --restart gives that upload up and sends the file as it is now`,
        );
      }
      if (!(await this.#isOver(before))) {
        options.onNote?.(`${path}: going on with image ${before.record.id}`);
        return before;
      }
    }
    if (before !== undefined) await this.#giveUp(before);
    const judged = await judgeFile(path, options.declared);
    const form = await this.#formOf(path, judged);
    const found = form === 'qcow2' ? { ...judged, diskFormat: 'qcow2' } : judged;
    const state: UploadState = {
      ...key,
      identity,
      record: { ...options.recordOf(found), id: randomUUID() },
      ...(options.stores && { stores: options.stores }),
      form,
    };
    assertUnchanged(path, identity);
    writeState(this.#files.state, state);
    return state;
  }

  /** An upload of before whose image has been deleted, or was active long ago, is no upload to go on with. */
  async #isOver({ record, uploadId }: UploadState): Promise<boolean> {
    const image = await this.#ask(() => showImage(this.#session.client, record.id));
    return image === undefined && uploadId !== undefined;
  }

  async #formOf(path: string, { inspection, diskFormat }: Judged): Promise<UploadState['form']> {
    const { asIs, declared, signal, onNote } = this.#options;
    // Who says `raw` wants a raw image.
    if (asIs || inspection.format !== 'raw' || declared.diskFormat !== undefined || diskFormat !== 'raw')
      return 'as-is';
    if (!hasHoles(path)) return 'as-is';
    const size = await this.#render(path, signal);
    if (size === undefined) return 'as-is';
    onNote?.(shrunkLine(path, size, inspection.fileSize));
    return 'qcow2';
  }

  async #render(path: string, signal: AbortSignal): Promise<number | undefined> {
    const onProgress = (share: number, bytes: number): void =>
      this.#options.onProgress?.('packing', share * bytes, bytes);
    return shrink(path, this.#files.rendered, { signal, onProgress });
  }

  async finish(state: UploadState): Promise<ImageAnswer> {
    const { client } = this.#session;
    try {
      let image = await this.#record(state);
      if (image.status === 'queued' || image.status === 'uploading') {
        if (!(await this.#isStaged(state, image))) await this.#send(state);
        await this.#import(state);
      }
      if (image.status !== 'active') await this.#follow(state);
      image = await this.#ask(() => client.showImage({ params: { id: state.record.id } }));
      removeState(this.#files);
      return image;
    } catch (error) {
      // Nothing is left behind of what cannot be gone on with.
      const isOver = !this.#options.canGoOn || error instanceof FileChanged || error instanceof ImportFailed;
      if (isOver)
        await this.#giveUp(state).catch((left: unknown) =>
          this.#options.onNote?.(`image ${state.record.id} stays: ${String(left)}`),
        );
      throw error;
    }
  }

  /** The record, made unless it is there. */
  async #record({ record }: UploadState): Promise<ImageAnswer> {
    const { client } = this.#session;
    const there = await this.#ask(() => showImage(client, record.id));
    if (there !== undefined) return there;
    try {
      return (await this.#ask(() => client.createImage({ body: record }))).value;
    } catch (error) {
      // The answer of an earlier try was lost on its way.
      if (kindOf(error) !== 'Conflict') throw error;
      return this.#ask(() => client.showImage({ params: { id: record.id } }));
    }
  }

  /** Whether all bytes are there, and only the import is missing. */
  async #isStaged({ record, uploadId }: UploadState, { status }: ImageAnswer): Promise<boolean> {
    if (status !== 'uploading' || uploadId === undefined) return false;
    const { state } = await this.#ask(() =>
      this.#session.client.showUpload({ params: { id: record.id, upload: uploadId } }),
    );
    return state === 'complete';
  }

  async #send(state: UploadState): Promise<void> {
    const { client } = this.#session;
    const { identity, path, record } = state;
    const sent = state.form === 'qcow2' ? await this.#rendered(state) : path;
    const source = await fileSource(sent);
    try {
      const upload = await this.#openUpload(state, source.size);
      const params = { id: record.id, upload: upload.id };
      const place: PartPlace = {
        size: upload.size,
        partSize: upload.part_size,
        present: async () => (await this.#ask(() => client.showUpload({ params }))).parts,
        sign: async (parts) => (await client.signParts({ params, body: { parts: [...parts] } })).parts,
      };
      const from = { read: source.read, assertUnchanged: () => assertUnchanged(path, identity) };
      await this.#complete(params, () => sendParts(place, from, this.#options));
    } finally {
      await source.close();
    }
  }

  /** What is missing at the end is sent once more. */
  async #complete(params: { readonly id: string; readonly upload: string }, send: () => Promise<void>): Promise<void> {
    const { client } = this.#session;
    for (let rounds = 3; ; rounds--) {
      await send();
      try {
        await this.#ask(() => client.completeUpload({ params }));
        return;
      } catch (error) {
        const { state } = await this.#ask(() => client.showUpload({ params }));
        if (state === 'complete') return;
        if (kindOf(error) !== 'Conflict' || state !== 'open' || rounds === 1) throw error;
      }
    }
  }

  /** The rendered file of an earlier command; it is made again when it is gone. */
  async #rendered({ path }: UploadState): Promise<string> {
    const { rendered } = this.#files;
    if (!existsSync(rendered) && (await this.#render(path, this.#options.signal)) === undefined) {
      throw new FileChanged(`${path} has no holes any more`);
    }
    return rendered;
  }

  /** The open session of this upload, or a new one. */
  async #openUpload(state: UploadState, size: number) {
    const { client } = this.#session;
    const params = { id: state.record.id };
    const { uploads } = await this.#ask(() => client.listUploads({ params }));
    const open = uploads.find((one) => one.state === 'open');
    if (open !== undefined && open.size !== size) {
      await this.#ask(() => client.abortUpload({ params: { ...params, upload: open.id } }));
    }
    const upload =
      open !== undefined && open.size === size
        ? open
        : (await this.#ask(() => client.createUpload({ params, body: { size } }))).upload;
    if (open === undefined && state.uploadId !== undefined) {
      this.#options.onNote?.(
        `${state.path}: the upload session of before has ended; the file is sent from its beginning`,
      );
    }
    writeState(this.#files.state, { ...state, uploadId: upload.id });
    return upload;
  }

  async #import({ record, stores }: UploadState): Promise<void> {
    const { client } = this.#session;
    const body = { method: { name: 'glance-direct' }, ...(stores && { stores: [...stores] }) };
    try {
      await this.#ask(() => client.importImage({ params: { id: record.id }, body }));
    } catch (error) {
      // An import that was accepted, and whose answer was lost.
      if (kindOf(error) !== 'Conflict' || (await lastImport(client, record.id)) === undefined) throw error;
    }
  }

  async #follow({ record }: UploadState): Promise<void> {
    const { client } = this.#session;
    const begun = await this.#ask(() => lastImport(client, record.id));
    if (begun === undefined) throw new ImportFailed(`${record.id}: its import is gone`);
    const onLook = ({ progress }: ImportAnswer): void => {
      if (progress !== undefined) this.#options.onProgress?.(progress.phase, progress.bytes_done, progress.bytes_total);
    };
    const ended = await followImport(client, begun.id, { ...this.#options, onLook });
    if (ended.status === 'failure') throw new ImportFailed(ended.message);
  }

  /** Takes away what an upload left, here and there; an image that became one stays. */
  async #giveUp({ record }: UploadState): Promise<void> {
    const { client } = this.#session;
    const params = { id: record.id };
    const image = await this.#ask(() => showImage(client, record.id));
    if (image !== undefined && UNFINISHED.has(image.status)) {
      if (image.protected) {
        const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' } as const;
        await client.patchImage({ params, headers, body: [{ op: 'replace', path: '/protected', value: false }] });
      }
      await client.deleteImage({ params });
    }
    removeState(this.#files);
  }

  #ask<T>(call: () => Promise<T>): Promise<T> {
    return trying(call, this.#options);
  }
}
