/** How far a download is, in a file beside what has arrived. */
import { readFileSync, rmSync } from 'node:fs';
import { writeOwnFile } from '../cache-folder.ts';

export interface DownloadState {
  readonly image: string;
  /** The image's hash, and its size in bytes: with the same ones, the bytes are the same. */
  readonly hash: string | null;
  readonly size: number;
  /** Bytes of a chunk; the last one may be shorter. */
  readonly chunk: number;
  /** Numbers of chunks that are on the disk. */
  readonly done: readonly number[];
}

const VERSION = 1;

/** What stands beside the file that is to be. */
export const partFiles = (out: string) => ({
  part: `${out}.part`,
  state: `${out}.part.json`,
  lock: `${out}.part.lock`,
});

/** Chunks that are there of the same download; none when it is another, or nothing is known. */
export function doneChunks(file: string, wanted: Omit<DownloadState, 'done'>): readonly number[] {
  try {
    const { version, done, ...before } = JSON.parse(readFileSync(file, 'utf8')) as DownloadState & {
      readonly version: number;
    };
    const isSame =
      version === VERSION && (['image', 'hash', 'size', 'chunk'] as const).every((key) => before[key] === wanted[key]);
    return isSame ? done : [];
  } catch {
    return [];
  }
}

export function writeDownloadState(file: string, state: DownloadState): void {
  writeOwnFile(file, JSON.stringify({ version: VERSION, ...state }));
}

export function removePart({ part, state }: Pick<ReturnType<typeof partFiles>, 'part' | 'state'>): void {
  for (const file of [part, state]) rmSync(file, { force: true });
}
