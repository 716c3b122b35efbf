/**
 * The formats that a conversion can make, in the order in which they are offered. A new target is `{format}/writer.ts` and one
 * line here: configuration (`npm run docs:formats`), plan, properties of the image and command line follow.
 */
import { Unsupported } from './engine/errors.ts';
import type { FormatWriter } from './engine/writer.ts';
import { qcow2Writer } from './qcow2/writer.ts';
import { rawWriter } from './raw/writer.ts';
import { vmdkWriter } from './vmdk/writer.ts';

const ALL = [rawWriter, qcow2Writer, vmdkWriter] as const;

/** Names of the targets. */
export type TargetName = (typeof ALL)[number]['format'];

/** Every target. */
export const WRITERS: readonly (FormatWriter & { readonly format: TargetName })[] = ALL;

/** The writer of a target. @throws Unsupported for a format that nothing writes */
export function writerOf(format: string): FormatWriter {
  const writer = WRITERS.find((candidate) => candidate.format === format);
  if (writer === undefined) throw new Unsupported(`${format} images are not written`);
  return writer;
}
