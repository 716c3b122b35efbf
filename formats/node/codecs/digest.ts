import { createHash } from 'node:crypto';
import type { Codecs } from '../../engine/codecs.ts';

/** OpenSSL's, on the calling thread. */
export const createDigest: Codecs['createDigest'] = (algorithm) => {
  const hash = createHash(algorithm);
  return {
    update(bytes) {
      hash.update(bytes);
    },
    hex: () => hash.digest('hex'),
  };
};
