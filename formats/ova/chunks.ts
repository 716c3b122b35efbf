/** A file that an OVF package holds in pieces of one size: `disk.vmdk.000000000` and on (DSP0243, "References"). Facts section 10. */
import { Unsafe } from '../engine/errors.ts';
import type { TarDirectory, TarMember } from '../tar/directory.ts';

const DIGITS = 9;

/**
 * The pieces in order. All have `chunkSize` bytes, the last one may have fewer.
 * @throws Unsafe (`ovf_reference`) when one is missing or has another size, or when there are more than the numbers that follow
 */
export function chunksOf(members: TarDirectory, href: string, chunkSize: number): TarMember[] {
  const pieces: TarMember[] = [];
  for (let piece = members.get(nameOf(href, 0)); piece !== undefined; piece = members.get(nameOf(href, pieces.length)))
    pieces.push(piece);
  const named = [...members.keys()].filter((name) => isPieceOf(href, name)).length;
  if (pieces.length === 0 || named > pieces.length) {
    const missing = JSON.stringify(nameOf(href, pieces.length));
    throw new Unsafe(
      'ovf_reference',
      `OVF disk file ${missing} is not in the archive, a chunk of ${JSON.stringify(href)}`,
    );
  }
  for (const [i, { name, size }] of pieces.entries()) {
    const isLast = i === pieces.length - 1;
    if (size === chunkSize || (isLast && size > 0 && size < chunkSize)) continue;
    throw new Unsafe('ovf_reference', `OVF disk file ${JSON.stringify(name)}: ${size} bytes, a chunk has ${chunkSize}`);
  }
  return pieces;
}

const nameOf = (href: string, piece: number): string => `${href}.${String(piece).padStart(DIGITS, '0')}`;

function isPieceOf(href: string, name: string): boolean {
  return name.startsWith(`${href}.`) && /^\d{9}$/u.test(name.slice(href.length + 1));
}
