import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** What the pool asks: bytes, or so many zeros, for one running hash, then its value. Answers come in order, one per message. */
export type DigestRequest =
  | { readonly id: number; readonly algorithm: string; readonly bytes: Uint8Array }
  | { readonly id: number; readonly algorithm: string; readonly zeros: number }
  | { readonly id: number; readonly algorithm: string; readonly end: 'value' | 'drop' };

/** Small enough to stay in the processor's cache. */
const ZEROS = new Uint8Array(256 * 1024);

const running = new Map<number, Hash>();

parentPort?.on('message', (request: DigestRequest) => {
  let hash = running.get(request.id);
  if (hash === undefined) {
    hash = createHash(request.algorithm);
    running.set(request.id, hash);
  }
  if ('end' in request) {
    running.delete(request.id);
    parentPort?.postMessage(request.end === 'value' ? hash.digest('hex') : '');
    if (running.size === 0) forgetSoon();
    return;
  }
  if ('bytes' in request) hash.update(request.bytes);
  else updateZeros(hash, request.zeros);
  parentPort?.postMessage('');
});

/**
 * Shared memory stays as long as any thread knows it, and this heap is too small to be collected by itself: 128 MiB of buffers stayed
 * after four uploads. Nothing without `--expose-gc`.
 */
function forgetSoon(): void {
  setTimeout(() => {
    if (running.size === 0) void globalThis.gc?.({ execution: 'async', type: 'major' });
  }, 100).unref();
}

function updateZeros(hash: Hash, length: number): void {
  for (let left = length; left > 0; left -= ZEROS.length) hash.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
}
