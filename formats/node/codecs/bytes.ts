import type { Codecs } from '../../engine/codecs.ts';

const ZEROS = Buffer.alloc(64 * 1024);

/** Memory speed: compares with a shared block of zeros. */
export const isZero: Codecs['isZero'] = (bytes) => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length; at += ZEROS.length) {
    const length = Math.min(ZEROS.length, buffer.length - at);
    if (buffer.compare(ZEROS, 0, length, at, at + length) !== 0) return false;
  }
  return true;
};

/** Of no pool, so that it may be transferred and is given back alone. */
export const uninitialized: Codecs['uninitialized'] = (length) => Buffer.allocUnsafeSlow(length);
