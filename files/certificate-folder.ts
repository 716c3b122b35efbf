import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendUnavailable } from '../core/errors.ts';
import { MOST_CERTIFICATE_BYTES } from '../core/signatures/certificate.ts';
import type { KeyManager } from '../core/signatures/key-manager.ts';

/**
 * A folder of certificates, `{uuid}.pem` each, PEM or DER: for one machine. Everybody may use each of them. A file that was put there
 * counts at once. What is no file, or cannot be read by the service, is not there.
 */
export function certificateFolder(folder: string): KeyManager {
  return { secret: (id) => headOf(join(folder, `${id}.pem`)) };
}

/** Does not wait for a pipe to be written. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** What is missing, hidden or of another kind. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'ENXIO']);

async function headOf(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, READ);
    if (!(await file.stat()).isFile()) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_CERTIFICATE_BYTES + 1), { position: 0 });
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new BackendUnavailable('The folder of certificates cannot be read', { cause: error });
  }
}
