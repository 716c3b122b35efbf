import { assemble, regions } from '../../formats/convert/assembly.ts';
import { encodeSlice } from '../../formats/convert/blocks.ts';
import { renderedImage } from '../../formats/convert/placed.ts';
import { planConversion, type TargetOptions } from '../../formats/convert/plan.ts';
import { memorySource } from '../../formats/engine/source.ts';
import { rawImage } from '../../formats/raw/module.ts';
import { writerOf } from '../../formats/writers.ts';

/** A raw disk as a file of another format, made in memory by the engine. */
export async function converted(raw: Buffer, options: TargetOptions): Promise<Buffer> {
  const source = memorySource(raw);
  const plan = planConversion(rawImage(source), source, options);
  if (writerOf(plan.target).tables === undefined) {
    const file = Buffer.alloc(plan.virtualSize);
    await renderedImage(rawImage(source), plan).readInto(0, file);
    return file;
  }
  const slices = await Promise.all(
    Array.from({ length: plan.sliceCount }, (_, slice) => encodeSlice(rawImage(source), plan, slice)),
  );
  const assembly = assemble(plan, Uint32Array.from(slices.flatMap(({ index }) => [...index])));
  const out = Buffer.alloc(assembly.size);
  for (const { kind, slice, offset } of regions(assembly)) {
    if (kind === 'head' || kind === 'tail') out.set(Buffer.concat([...assembly[kind]()]), offset);
    else if (kind !== 'gap') out.set(slices[slice]?.[kind] ?? [], offset);
  }
  return out;
}
