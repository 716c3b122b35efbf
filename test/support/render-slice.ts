/**
 * A worker of a conversion, as a function would be: `node render-slice.ts JOB NUMBER` reads the job (plan and input path)
 * and leaves the slice's index and bodies beside it. It knows nothing else.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { encodeSlice } from '../../formats/convert/blocks.ts';
import { assertPlanFits, type ConversionPlan } from '../../formats/convert/plan.ts';
import { renderRawSlice } from '../../formats/convert/raw.ts';
import { blockingFileSource } from '../../formats/node/file-source.ts';
import { openImage } from '../../formats/registry.ts';

/** What is written at the job's path. */
export interface RenderJob {
  readonly plan: ConversionPlan;
  readonly input: string;
}

/** A slice as its worker left it: base64 bytes. */
export interface RenderedSlice {
  readonly index: readonly number[];
  readonly plain: string;
  readonly packed: string;
}

const [jobPath = '', number = ''] = process.argv.slice(2);
const slice = Number(number);
const { plan, input } = JSON.parse(readFileSync(jobPath, 'utf8')) as RenderJob;
const source = blockingFileSource(input);
assertPlanFits(plan, source);
const image = await openImage(source, plan.source.format);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const raw = plan.target.format === 'raw';
const body = raw
  ? { index: [], plain: (await renderRawSlice(image, plan, slice)) ?? new Uint8Array(0), packed: new Uint8Array(0) }
  : await encodeSlice(image, plan, slice);
const rendered: RenderedSlice = { index: [...body.index], plain: text(body.plain), packed: text(body.packed) };
writeFileSync(`${jobPath}.${slice}`, JSON.stringify(rendered));
await source.close();
