/** A conversion of a local file: plan, threads, phases, and an output that appears whole or not at all. */
import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Assembly, assemble, headLength } from '../../formats/convert/assembly.ts';
import { assertConvertible } from '../../formats/convert/guard.ts';
import { type ConversionPlan, planConversion, type TargetOptions } from '../../formats/convert/plan.ts';
import type { FormatName } from '../../formats/engine/image.ts';
import type { ByteSource } from '../../formats/engine/source.ts';
import { type Inspection, inspect } from '../../formats/inspect.ts';
import { fileSource, unclosed } from '../../formats/node/file-source.ts';
import { openImage } from '../../formats/registry.ts';
import { writerOf } from '../../formats/writers.ts';
import { checksOf } from '../options.ts';
import { runSlices } from './crew.ts';
import { doneSlices, type SharedState, sharedState, stop } from './shared.ts';
import { type Assignment, MAX_CODED_BLOCK, writeAll } from './work.ts';

export interface ConvertOptions {
  readonly target: TargetOptions;
  readonly declared?: FormatName;
  readonly maxVirtualSize: number;
  readonly maxRatio: number;
  readonly nonfatal?: string;
  readonly threads?: number;
  readonly signal: AbortSignal;
  /** What stands at `input`, read in another way while it arrives there; one thread reads it then. */
  readonly source?: ByteSource;
  /** Has the last word on a result that is whole, before it appears. */
  approve?(): Promise<void>;
  /** Told the share of the work that is done, 0 to 1, and the guest bytes of the whole. */
  onProgress?(share: number, bytes: number): void;
}

/**
 * Slices of results with tables: each thread holds one of them in memory, before and after. What is only read, tested and
 * written stays in the processor's cache; what is compressed takes longer than its way through memory.
 */
const ENCODE_SLICE = { plain: 1024 * 1024, compressed: 4 * 1024 * 1024 } as const;
/**
 * Memory of a conversion, by measurement: the program, and per thread a heap with its garbage, a slice in and out, and
 * some blocks of source and target on their way through a codec.
 */
const MEMORY = { bound: 256, program: 64, thread: 40, blocks: 8 } as const;
/**
 * Bytes of data that are worth another thread, whose start takes a tenth of a second of a processor: what one thread
 * deflates, inflates, or copies and decodes otherwise in about twice that.
 */
const WORTH_A_THREAD = { deflate: 32, inflate: 128, copy: 512 } as const;
const MIB = 1024 * 1024;
const PROGRESS_MS = 100;

/**
 * Converts `input` to `output`.
 * @throws Unsafe, LimitExceeded and other FormatErrors when the image is refused; the file system's errors; the signal's
 *   reason. Nothing stands at `output` then but what stood there before.
 */
export async function convertFile(input: string, output: string, options: ConvertOptions): Promise<Inspection> {
  const { inspection, plan } = await planFile(input, options);
  const assignment: Assignment = {
    input,
    output: join(dirname(output), `.${basename(output)}.${randomBytes(6).toString('hex')}.tmp`),
    plan,
    maxRatio: options.maxRatio,
    state: sharedState(plan, headLength(plan)),
  };
  const remove = (): void => rmSync(assignment.output, { force: true });
  // A second signal, or one that ends the process, must not leave files behind either.
  process.once('exit', remove);
  try {
    createOutput(assignment);
    const wanted = options.source === undefined ? (options.threads ?? threadsFor(inspection, plan)) : 1;
    await fillOutput(assignment, Math.min(wanted, threadsThatFit(inspection, plan)), options);
    options.signal.throwIfAborted();
    await options.approve?.();
    renameSync(assignment.output, output);
    return inspection;
  } finally {
    remove();
    process.off('exit', remove);
  }
}

async function planFile(
  input: string,
  options: ConvertOptions,
): Promise<{ inspection: Inspection; plan: ConversionPlan }> {
  const source = options.source === undefined ? await fileSource(input) : unclosed(options.source);
  try {
    const inspection = await inspect(source, {
      ...(options.declared === undefined ? {} : { declared: options.declared }),
      maxVirtualSize: options.maxVirtualSize,
      nonfatal: checksOf(options),
      signal: options.signal,
    });
    assertConvertible(inspection, { format: options.target.target }, options.maxRatio);
    const image = await openImage(source, inspection.format);
    const plan = planConversion(image, source, options.target, sliceOf(options.target));
    return { inspection, plan: { ...plan, source: { ...plan.source, format: inspection.format } } };
  } finally {
    await source.close();
  }
}

/** Bytes of a slice, whole clusters; results without tables take the engine's own. */
function sliceOf({ target: format, subformat, compression, clusterSize }: TargetOptions): number | undefined {
  const { tables, compressions, blockSize } = writerOf({ format, subformat });
  if (tables === undefined) return undefined;
  if ((compression ?? compressions[0]) !== 'none') return ENCODE_SLICE.compressed;
  return Math.max(ENCODE_SLICE.plain, blockSize(clusterSize));
}

function createOutput({ output, plan }: Assignment): void {
  const descriptor = openSync(output, 'wx');
  if (writerOf(plan.target).tables === undefined) ftruncateSync(descriptor, plan.virtualSize);
  closeSync(descriptor);
}

/** Threads worth their start. */
function threadsFor({ allocatedBytes, fileSize, virtualSize, details }: Inspection, plan: ConversionPlan): number {
  const data = allocatedBytes ?? virtualSize ?? fileSize;
  const inflates = fileSize < data * 0.9 && details['compression_type'] !== 'zstd';
  const work = plan.target.compression !== 'none' ? 'deflate' : inflates ? 'inflate' : 'copy';
  const useful = Math.ceil(data / (WORTH_A_THREAD[work] * MIB));
  return Math.max(1, Math.min(availableParallelism(), useful));
}

/** Threads that fit into the memory of a conversion, whatever was asked for. */
function threadsThatFit({ blockSize = 1 }: Inspection, { target }: ConversionPlan): number {
  const block = Math.min(MAX_CODED_BLOCK, Math.max(blockSize, target.blockSize));
  const each = MEMORY.thread + (MEMORY.blocks * block) / MIB;
  return Math.max(1, Math.floor((MEMORY.bound - MEMORY.program) / each));
}

async function fillOutput(assignment: Assignment, threads: number, options: ConvertOptions): Promise<void> {
  const { plan, state } = assignment;
  const ended = watch(state, plan, options);
  try {
    await runSlices(assignment, Math.max(1, Math.min(threads, plan.sliceCount)), options.source);
  } finally {
    ended();
  }
  options.signal.throwIfAborted();
  if (writerOf(plan.target).tables !== undefined) writeTables(assignment.output, assemble(plan, state.index));
}

function writeTables(output: string, assembly: Assembly): void {
  const descriptor = openSync(output, 'r+');
  try {
    ftruncateSync(descriptor, assembly.size);
    let at = 0;
    for (const piece of assembly.head()) {
      writeAll(descriptor, piece, at);
      at += piece.length;
    }
    at = assembly.size - assembly.tailLength;
    for (const piece of assembly.tail()) {
      writeAll(descriptor, piece, at);
      at += piece.length;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Reports progress and passes the signal on to the threads, until the returned function is called. */
function watch(state: SharedState, plan: ConversionPlan, options: ConvertOptions): () => void {
  const report = (): void => options.onProgress?.(doneSlices(state) / Math.max(1, plan.sliceCount), plan.outputSize);
  const timer = setInterval(report, PROGRESS_MS);
  const abort = (): void => stop(state);
  options.signal.addEventListener('abort', abort, { once: true });
  return () => {
    clearInterval(timer);
    options.signal.removeEventListener('abort', abort);
    report();
  };
}
