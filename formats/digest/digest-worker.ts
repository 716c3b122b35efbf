import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** What the pool asks: bytes for one running hash, then its value. Answers come in order, one per message. */
export type DigestRequest =
  | { readonly id: number; readonly algorithm: string; readonly bytes: Uint8Array }
  | { readonly id: number; readonly algorithm: string; readonly end: 'value' | 'drop' };

const running = new Map<number, Hash>();

parentPort?.on('message', (request: DigestRequest) => {
  let hash = running.get(request.id);
  if (hash === undefined) {
    hash = createHash(request.algorithm);
    running.set(request.id, hash);
  }
  if ('bytes' in request) {
    hash.update(request.bytes);
    parentPort?.postMessage('');
    return;
  }
  running.delete(request.id);
  parentPort?.postMessage(request.end === 'value' ? hash.digest('hex') : '');
});
