/** A pipe as a file: it can be looked at before anything is sent, its size is known, and a part can be sent twice. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** Zeros are left out in runs of whole blocks of this size: a disk with holes takes no more room than it holds. */
const BLOCK = 64 * 1024;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * Reads a stream to its end into a file of the cache folder; files of processes that ended are swept.
 * @returns its path, and what takes it away
 * @throws the stream's errors; the file system's, such as ENOSPC
 */
export async function spool(
  stream: AsyncIterable<Uint8Array>,
  cacheFolder: string,
  onProgress: (bytes: number) => void,
): Promise<{ readonly path: string; remove(): void }> {
  const folder = join(cacheFolder, 'spool');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  sweep(folder);
  const path = join(folder, `${process.pid}`);
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { force: true });
  };
  process.once('exit', remove);
  const file = await open(path, 'w', 0o600);
  let size = 0;
  try {
    for await (const chunk of stream) {
      for (let at = 0; at < chunk.length; at += BLOCK) {
        const block = chunk.subarray(at, at + BLOCK);
        if (!ZEROS.subarray(0, block.length).equals(block)) await writeWhole(file, block, size + at);
      }
      size += chunk.length;
      onProgress(size);
    }
    await file.truncate(size);
  } catch (error) {
    remove();
    throw error;
  } finally {
    await file.close();
  }
  return { path, remove };
}

async function writeWhole(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    try {
      process.kill(Number(name), 0);
    } catch {
      rmSync(join(folder, name), { force: true });
    }
  }
}
