/** A raw disk with holes as the compressed qcow2 that holds the same: less to send. */
import { rmSync, statSync } from 'node:fs';
import { shortBytes } from '../human.ts';

/** A disk with fewer holes takes longer to compress than it saves. Share of the file that is not stored. */
const WORTH_HOLES = 0.1;

/** Whether a raw disk has holes that are worth it. Blocks of 512 bytes are what file systems count. */
export function hasHoles(path: string): boolean {
  const { size, blocks } = statSync(path);
  return size > 0 && blocks * 512 < size * (1 - WORTH_HOLES);
}

/**
 * Renders it.
 * @returns bytes of the result; undefined when it would not be fewer, and then it is not there
 * @throws as a conversion: FormatErrors, the file system's errors, the signal's reason
 */
export async function shrink(
  path: string,
  rendered: string,
  options: { readonly signal: AbortSignal; onProgress(share: number, bytes: number): void },
): Promise<number | undefined> {
  const { convertFile } = await import('../convert/job.ts');
  await convertFile(path, rendered, {
    target: { target: 'qcow2', compression: 'zlib' },
    declared: 'raw',
    maxVirtualSize: Number.MAX_SAFE_INTEGER,
    maxRatio: Number.MAX_SAFE_INTEGER,
    ...options,
  });
  const { size } = statSync(rendered);
  if (size < statSync(path).size) return size;
  rmSync(rendered);
  return undefined;
}

/** What is said of it. */
export const shrunkLine = (path: string, size: number, whole: number): string =>
  `${path}: sent as compressed qcow2, ${shortBytes(size)} instead of ${shortBytes(whole)} (--as-is sends it as it is)`;
