/** OVF manifest (.mf): digests of members, checked by streaming reads (DSP0243 section 5.1). Facts section 10. */

import { createDigest } from '#codecs/digest.ts';
import { capped } from '../engine/bytes.ts';
import type { DigestAlgorithm } from '../engine/codecs.ts';
import { readChunks } from '../engine/decompress/read-chunks.ts';
import { Corrupt } from '../engine/errors.ts';
import { type Finding, finding } from '../engine/findings.ts';
import type { ByteSource } from '../engine/source.ts';
import { utf8 } from '../engine/text.ts';
import { MAX_MEMBERS, memberSource, type TarDirectory } from '../tar/directory.ts';

const ALGORITHMS = { SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512' } as const;
type Algorithm = keyof typeof ALGORITHMS;
const DIGEST_CHARS = { SHA1: 40, SHA256: 64, SHA512: 128 } as const satisfies Record<Algorithm, number>;

/** One line of a manifest; `digest` in lower-case hex. */
export interface ManifestEntry {
  readonly algorithm: Algorithm;
  readonly name: string;
  readonly digest: string;
}

/** A manifest of MAX_MEMBERS lines is smaller. */
export const MAX_MANIFEST_BYTES = 1024 * 1024;

/**
 * Parses `SHA256(name)= hex` lines.
 * @throws Corrupt on any other line that is not blank, LimitExceeded above one line for each member there can be
 */
export function parseManifest(bytes: Uint8Array): ManifestEntry[] {
  const lines = utf8(bytes)
    .replace(/^\ufeff/u, '')
    .split(/\r?\n/u);
  const entries = lines.flatMap((line, i) =>
    line.trim() === '' || line.startsWith('#') ? [] : [manifestEntry(line, i + 1)],
  );
  capped(entries.length, MAX_MEMBERS, 'OVA manifest lines');
  return entries;
}

function manifestEntry(line: string, number: number): ManifestEntry {
  const match = /^(SHA1|SHA256|SHA512)\s*\((.+)\)\s*=\s*([0-9a-f]+)\s*$/iu.exec(line);
  const algorithm = match?.[1]?.toUpperCase() as Algorithm | undefined;
  const digest = match?.[3]?.toLowerCase();
  if (match?.[2] === undefined || algorithm === undefined || digest?.length !== DIGEST_CHARS[algorithm]) {
    throw new Corrupt(`OVA manifest line ${number} is not "SHA256(name)= hex": ${JSON.stringify(line.slice(0, 80))}`);
  }
  return { algorithm, name: match[2].replace(/^(\.\/)+/u, ''), digest };
}

/** Bytes that `verifyManifest` would read. */
export function manifestBytes(entries: readonly ManifestEntry[], members: TarDirectory): number {
  return entries.reduce((sum, entry) => sum + (members.get(entry.name)?.size ?? 0), 0);
}

/**
 * Hashes every member that the manifest lists. A name that is no member refuses like a wrong digest: part of what was
 * signed for is missing.
 * @throws what `source.read` throws
 */
export async function verifyManifest(
  source: ByteSource,
  entries: readonly ManifestEntry[],
  members: TarDirectory,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const entry of entries) {
    const member = members.get(entry.name);
    const name = JSON.stringify(entry.name.slice(0, 120));
    if (member === undefined) {
      found.push(finding('digest_mismatch', `OVA manifest lists ${name}, which is not in the archive`));
      continue;
    }
    const digest = await digestOf(memberSource(source, member), ALGORITHMS[entry.algorithm]);
    if (digest !== entry.digest) {
      found.push(
        finding('digest_mismatch', `${name}: ${entry.algorithm} is ${digest}, the manifest says ${entry.digest}`),
      );
    }
  }
  return found;
}

async function digestOf(data: ByteSource, algorithm: DigestAlgorithm): Promise<string> {
  const digest = createDigest(algorithm);
  for await (const chunk of readChunks(data, 0, data.size)) digest.update(chunk);
  return digest.hex();
}
