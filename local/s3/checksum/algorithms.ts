import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { BlobStore } from '../store/blobs.ts';
import { withBlob } from '../store/blobs.ts';
import type { Checksum, ChecksumAlgorithm, ChecksumType, Part, Segment } from '../store/model.ts';
import { combineCrc } from './combine.ts';
import { SlicedCrc } from './crc-tables.ts';

/** Bytes hashed between two turns of the event loop when stored bytes are read again. */
const REREAD_BYTES = 4 * 1024 * 1024;

/** A running digest. */
export interface Hasher {
  update(bytes: Buffer): void;
  digest(): Buffer;
}

class Crc32 implements Hasher {
  #crc = 0;

  update(bytes: Buffer): void {
    this.#crc = crc32(bytes, this.#crc);
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#crc);
    return bytes;
  }
}

function nativeHash(name: string): Hasher {
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

const HASHERS: Readonly<Record<ChecksumAlgorithm | 'MD5', () => Hasher>> = {
  CRC32: () => new Crc32(),
  CRC32C: () => new SlicedCrc('CRC32C'),
  CRC64NVME: () => new SlicedCrc('CRC64NVME'),
  SHA1: () => nativeHash('sha1'),
  SHA256: () => nativeHash('sha256'),
  MD5: () => nativeHash('md5'),
};

/** Digest length in bytes. */
const DIGEST_LENGTH: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

/** Every checksum algorithm, in the order S3 lists them. */
export const CHECKSUM_ALGORITHMS = Object.keys(DIGEST_LENGTH) as ChecksumAlgorithm[];

/** A fresh running digest. */
export function createHasher(algorithm: ChecksumAlgorithm | 'MD5'): Hasher {
  return HASHERS[algorithm]();
}

/** The algorithm of that name in any letter case, or undefined. */
export function checksumAlgorithm(name: string | undefined): ChecksumAlgorithm | undefined {
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name?.toUpperCase());
}

/** The header that carries a checksum: `x-amz-checksum-crc32` and so on. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The XML element that carries a checksum: `ChecksumCRC32` and so on. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** True for base64 of exactly one digest of that algorithm. */
export function isDigest(algorithm: ChecksumAlgorithm, base64: string): boolean {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length === DIGEST_LENGTH[algorithm] && bytes.toString('base64') === base64;
}

/** True for algorithms whose whole-object value follows from the parts. */
export function isCrc(algorithm: ChecksumAlgorithm): algorithm is 'CRC32' | 'CRC32C' | 'CRC64NVME' {
  return algorithm.startsWith('CRC');
}

/** Full-object checksum of stored bytes, read again in slices with the event loop let in between. */
export async function checksumOf(
  blobs: BlobStore,
  segments: readonly Segment[],
  algorithm: ChecksumAlgorithm,
): Promise<Checksum> {
  const hasher = createHasher(algorithm);
  const buffer = Buffer.allocUnsafe(REREAD_BYTES);
  for (const [id, offset, length] of segments) {
    for (let done = 0; done < length; ) {
      const want = Math.min(REREAD_BYTES, length - done);
      const read = withBlob(blobs, id, (file) => readSync(file, buffer, 0, want, offset + done));
      if (read === 0) throw new Error(`blob ${id} is shorter than ${offset + length} bytes`);
      hasher.update(buffer.subarray(0, read));
      done += read;
      await new Promise(setImmediate);
    }
  }
  return { algorithm, value: hasher.digest().toString('base64'), type: 'FULL_OBJECT' };
}

/**
 * Checksum of a multipart object from its parts': combined for FULL_OBJECT (CRCs only), else the digest of the digests
 * with `-N`. Undefined when a part lacks it.
 */
export function multipartChecksum(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly Part[],
): Checksum | undefined {
  const digests = parts.flatMap(({ checksum }) =>
    checksum?.algorithm === algorithm ? [Buffer.from(checksum.value, 'base64')] : [],
  );
  if (digests.length !== parts.length) return undefined;
  if (type === 'FULL_OBJECT' && isCrc(algorithm)) {
    const pieces = parts.map(({ size }, i) => ({ crc: digests[i] ?? Buffer.alloc(0), length: size }));
    return { algorithm, value: combineCrc(algorithm, pieces).toString('base64'), type };
  }
  const hasher = createHasher(algorithm);
  for (const digest of digests) hasher.update(digest);
  return { algorithm, value: `${hasher.digest().toString('base64')}-${parts.length}`, type: 'COMPOSITE' };
}
