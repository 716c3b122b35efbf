import { traitsOf } from '../catalog.ts';
import { LimitExceeded, Unsafe } from '../engine/errors.ts';
import type { Target } from '../engine/writer.ts';
import type { Inspection } from '../inspect.ts';

/**
 * Guest bytes with data per byte of the file. Deflate reaches 1032:1 on honest, zero-heavy data; more says that one
 * stored block is mapped many times.
 */
export const DEFAULT_MAX_RATIO = 2000;
/** Below this many bytes of data a ratio says nothing. */
const RATIO_FLOOR = 256 * 1024 * 1024;

/**
 * Decides whether an inspected image may be converted, or read as a disk.
 * @param target absent when nothing is made of it
 * @throws Unsafe with the code of the first finding that refuses, `nested_format` for a raw result that would be taken for
 *   another format, or `unsupported_format`; LimitExceeded for an expansion above `maxRatio`
 */
export function assertConvertible(
  inspection: Inspection,
  target?: Pick<Target, 'format'>,
  maxRatio: number = DEFAULT_MAX_RATIO,
): void {
  const refused = inspection.findings.find((found) => found.severity === 'refuse');
  if (refused !== undefined) throw new Unsafe(refused.code, refused.message);
  if (traitsOf(inspection.format).convertible !== true) {
    throw new Unsafe('unsupported_format', `${inspection.format} content is stored as it is, never converted`);
  }
  const nested = inspection.findings.find((found) => found.code === 'nested_format');
  if (nested !== undefined && target?.format === 'raw') throw new Unsafe(nested.code, nested.message);
  if (inspection.allocatedBytes !== undefined) {
    assertRatio(inspection.allocatedBytes, inspection.fileSize, maxRatio);
  }
}

/** @throws LimitExceeded when so many guest bytes with data come out of so small a file */
export function assertRatio(allocatedBytes: number, fileSize: number, maxRatio: number = DEFAULT_MAX_RATIO): void {
  if (allocatedBytes > RATIO_FLOOR && allocatedBytes > fileSize * maxRatio) {
    throw new LimitExceeded(`${allocatedBytes} bytes of data out of a file of ${fileSize}: more than ${maxRatio} to 1`);
  }
}
