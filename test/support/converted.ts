import { assemble, regions } from '../../formats/engine/convert/assembly.ts';
import { encodeSlice } from '../../formats/engine/convert/blocks.ts';
import { planConversion, type TargetOptions } from '../../formats/engine/convert/plan.ts';
import { memorySource } from '../../formats/engine/source.ts';
import { rawImage } from '../../formats/raw/module.ts';

/** A raw disk as a file of another format, made in memory by the engine. */
export async function converted(raw: Buffer, options: TargetOptions): Promise<Buffer> {
  const source = memorySource(raw);
  const plan = planConversion(rawImage(source), source, options);
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
