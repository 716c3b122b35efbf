/** How a file is cut into parts: pure. */

export interface Part {
  /** From 1. */
  readonly number: number;
  /** Bytes. */
  readonly size: number;
  /** As S3 writes it: base64 of four bytes, big-endian. */
  readonly crc32: string;
}

export interface Cut {
  /** Bytes of the file, and of each part but the last. */
  readonly size: number;
  readonly partSize: number;
}

export interface PartRange {
  readonly number: number;
  readonly start: number;
  readonly size: number;
}

const partCount = ({ size, partSize }: Cut): number => Math.ceil(size / partSize);

/** Where part `number` (from 1) stands in the file. */
export function partRange(cut: Cut, number: number): PartRange {
  const start = (number - 1) * cut.partSize;
  return { number, start, size: Math.min(cut.partSize, cut.size - start) };
}

/** Every part of the file. */
const allParts = (cut: Cut): PartRange[] => Array.from({ length: partCount(cut) }, (_, n) => partRange(cut, n + 1));

/** Those that are not there with the size that they must have. What is there may still be of other bytes: their CRC32 tells. */
export function missingParts(cut: Cut, present: readonly Pick<Part, 'number' | 'size'>[]): PartRange[] {
  const sizes = new Map(present.map(({ number, size }) => [number, size]));
  return allParts(cut).filter(({ number, size }) => sizes.get(number) !== size);
}

/** Bytes of parts on their way at a time, and parts. */
const IN_FLIGHT = { bytes: 256 * 2 ** 20, parts: 8 } as const;

/** Parts that are sent at once. */
export const lanesFor = (partSize: number, wanted: number = IN_FLIGHT.parts): number =>
  Math.max(1, Math.min(wanted, Math.floor(IN_FLIGHT.bytes / partSize)));
