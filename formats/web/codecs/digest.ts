import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import type { Codecs } from '../../engine/codecs.ts';
import { hex } from '../../engine/text.ts';

const CREATE = { sha1, sha256, sha512 } as const;

/** WebCrypto wants all bytes at once; members of an appliance are larger than memory. */
export const createDigest: Codecs['createDigest'] = (algorithm) => {
  const hash = CREATE[algorithm].create();
  return {
    update(bytes) {
      hash.update(bytes);
    },
    hex: () => hex(hash.digest()),
  };
};
