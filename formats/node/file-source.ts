import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Truncated } from '../engine/errors.ts';
import { assertWithin, type ByteSource } from '../engine/source.ts';

/** A source that holds a file open until closed. */
export interface FileSource extends ByteSource {
  close(): Promise<void>;
}

/** A source that somebody else closes. */
export const unclosed = (source: ByteSource): FileSource => ({ ...source, close: async () => undefined });

/** What names a version of a local file: a rewrite changes at least one of these. */
function identity(stat: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint }): string {
  return `${stat.dev.toString(36)}-${stat.ino.toString(36)}-${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}`;
}

/**
 * Opens a local file for random access, without blocking the process.
 * @throws the errors of the file system (ENOENT, EISDIR, ...); reads throw Truncated when the file has shrunk meanwhile
 */
export async function fileSource(path: string): Promise<FileSource> {
  const handle = await open(path, 'r');
  try {
    const stat = await handle.stat({ bigint: true });
    if (stat.isDirectory()) throw Object.assign(new Error(`EISDIR: ${path} is a directory`), { code: 'EISDIR' });
    return asyncSource(handle, Number(stat.size), identity(stat));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function asyncSource(handle: FileHandle, size: number, etag: string): FileSource {
  const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
    assertWithin({ size }, offset, target.length);
    for (let done = 0; done < target.length; ) {
      const { bytesRead } = await handle.read(target, done, target.length - done, offset + done);
      if (bytesRead === 0) throw new Truncated(`the file ended at ${offset + done}, it had ${size} bytes when opened`);
      done += bytesRead;
    }
  };
  return { size, etag, gapBytes: 0, readInto, read: reader(size, readInto), close: () => handle.close() };
}

/**
 * The same with system calls on the calling thread: for worker threads, where waiting is free and every hop costs.
 * @throws as `fileSource`
 */
export function blockingFileSource(path: string): FileSource {
  const descriptor = openSync(path, 'r');
  const stat = fstatSync(descriptor, { bigint: true });
  const size = Number(stat.size);
  const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
    assertWithin({ size }, offset, target.length);
    for (let done = 0; done < target.length; ) {
      const read = readSync(descriptor, target, done, target.length - done, offset + done);
      if (read === 0) throw new Truncated(`the file ended at ${offset + done}, it had ${size} bytes when opened`);
      done += read;
    }
  };
  return {
    size,
    etag: identity(stat),
    gapBytes: 0,
    readInto,
    read: reader(size, readInto),
    close: async () => closeSync(descriptor),
  };
}

function reader(size: number, readInto: (offset: number, target: Uint8Array) => Promise<void>): ByteSource['read'] {
  return async (offset, length) => {
    assertWithin({ size }, offset, length);
    const target = Buffer.allocUnsafeSlow(length);
    await readInto(offset, target);
    return target;
  };
}
