/**
 * The formats that a conversion can make, in the order in which they are offered. A new target is `{format}/writer.ts` and one
 * line here: configuration (`npm run docs:formats`), plan, properties of the image and command line follow.
 */
import { Unsupported } from './engine/errors.ts';
import type { FormatWriter } from './engine/writer.ts';
import { qcow2Writer } from './qcow2/writer.ts';
import { rawWriter } from './raw/writer.ts';
import { vhdDynamicWriter, vhdFixedWriter } from './vhd/writer.ts';
import { vhdxWriter } from './vhdx/writer.ts';
import { vmdkWriter } from './vmdk/writer.ts';

const ALL = [rawWriter, qcow2Writer, vmdkWriter, vhdDynamicWriter, vhdFixedWriter, vhdxWriter] as const;

/** Names of the targets. */
export type TargetName = (typeof ALL)[number]['format'];

/** Every target in every form; the usual form of a format stands before its others. */
export const WRITERS: readonly (FormatWriter & { readonly format: TargetName })[] = ALL;

/** Names of the targets, each once. */
export const TARGETS: readonly TargetName[] = [...new Set(ALL.map(({ format }) => format))];

/** A format and, where it has several, one of its forms. */
export interface TargetForm {
  readonly format: string;
  readonly subformat?: string | undefined;
}

/** The writer of a target, of its usual form when none is named. @throws Unsupported for what nothing writes */
export function writerOf({ format, subformat }: TargetForm): FormatWriter {
  const forms = WRITERS.filter((candidate) => candidate.format === format);
  const writer = forms.find((candidate) => subformat === undefined || candidate.subformat === subformat);
  if (writer !== undefined) return writer;
  const [known] = forms;
  throw new Unsupported(
    known ? `${format} images are not written as ${subformat}` : `${format} images are not written`,
  );
}
