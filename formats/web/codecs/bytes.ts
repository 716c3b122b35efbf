import type { Codecs } from '../../engine/codecs.ts';

/** Eight bytes at a time where they lie so that they can be taken together. */
export const isZero: Codecs['isZero'] = (bytes) => {
  const whole = bytes.byteOffset % 8 === 0 ? Math.floor(bytes.length / 8) : 0;
  const words = new BigUint64Array(bytes.buffer, whole === 0 ? 0 : bytes.byteOffset, whole);
  return words.every((word) => word === 0n) && bytes.subarray(whole * 8).every((byte) => byte === 0);
};

/** There is no other memory than zeros. */
export const uninitialized: Codecs['uninitialized'] = (length) => new Uint8Array(length);
