import { constants, createHash, createPublicKey, createVerify, type Hash, type Verify } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** A signature to check over the bytes of a stream. */
export interface SignatureCheck {
  /** Message digest, as node:crypto names it. */
  readonly hash: string;
  /** DER, SubjectPublicKeyInfo. */
  readonly key: Uint8Array;
  /** RSASSA-PSS with whatever length of salt; else what the key makes, DER where it is two numbers. */
  readonly isPss: boolean;
  readonly signature: Uint8Array;
}

/** What the pool asks: bytes, or so many zeros, for one running hash, then its value, or what its check says. Answers come in order, one per message. */
export type DigestRequest =
  | { readonly id: number; readonly algorithm: string; readonly bytes: Uint8Array }
  | { readonly id: number; readonly algorithm: string; readonly zeros: number }
  | {
      readonly id: number;
      readonly algorithm: string;
      readonly end: 'value' | 'drop';
      readonly check?: SignatureCheck;
    };

/** Small enough to stay in the processor's cache. */
const ZEROS = new Uint8Array(256 * 1024);

/** A stream whose algorithm is written so is checked, not hashed. */
const CHECKED = 'check:';

const running = new Map<number, Hash | Verify>();

const start = (algorithm: string): Hash | Verify =>
  algorithm.startsWith(CHECKED) ? createVerify(algorithm.slice(CHECKED.length)) : createHash(algorithm);

parentPort?.on('message', (request: DigestRequest) => {
  let hash = running.get(request.id);
  if (hash === undefined) {
    hash = start(request.algorithm);
    running.set(request.id, hash);
  }
  if ('end' in request) {
    running.delete(request.id);
    parentPort?.postMessage(request.end === 'value' ? outcomeOf(hash, request.check) : '');
    if (running.size === 0) forgetSoon();
    return;
  }
  if ('bytes' in request) hash.update(request.bytes);
  else updateZeros(hash, request.zeros);
  parentPort?.postMessage('');
});

function outcomeOf(hash: Hash | Verify, check: SignatureCheck | undefined): string {
  if ('digest' in hash) return hash.digest('hex');
  return check !== undefined && holds(hash, check) ? 'valid' : 'invalid';
}

/** What OpenSSL cannot even read as a signature of this key is none. */
function holds(verify: Verify, { key: der, isPss, signature }: SignatureCheck): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
    const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_AUTO: saltLength } = constants;
    return verify.verify(isPss ? { key, padding, saltLength } : key, signature);
  } catch {
    return false;
  }
}

/**
 * Shared memory stays as long as any thread knows it, and this heap is too small to be collected by itself: 128 MiB of buffers stayed
 * after four uploads. Nothing without `--expose-gc`.
 */
function forgetSoon(): void {
  setTimeout(() => {
    if (running.size === 0) void globalThis.gc?.({ execution: 'async', type: 'major' });
  }, 100).unref();
}

function updateZeros(hash: Hash | Verify, length: number): void {
  for (let left = length; left > 0; left -= ZEROS.length) hash.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
}
