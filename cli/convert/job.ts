/** A conversion of a local file: plan, threads, phases, and an output that appears whole or not at all. */
import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Assembly, assemble } from '../../formats/convert/assembly.ts';
import { assertConvertible } from '../../formats/convert/guard.ts';
import { type ConversionPlan, planConversion, type TargetOptions } from '../../formats/convert/plan.ts';
import { fileSource } from '../../formats/file-source.ts';
import type { FormatName } from '../../formats/image.ts';
import { type Inspection, inspect } from '../../formats/inspect.ts';
import { openImage } from '../../formats/registry.ts';
import { type Crew, hireCrew } from './crew.ts';
import { doneBytes, restart, type SharedState, sharedState, stop } from './shared.ts';
import { type Assignment, writeAll } from './work.ts';

export interface ConvertOptions {
  readonly target: TargetOptions;
  readonly declared?: FormatName;
  readonly maxVirtualSize: number;
  readonly maxRatio: number;
  readonly threads?: number;
  readonly signal: AbortSignal;
  /** Told the share of the work that is done, 0 to 1, and the guest bytes of the whole. */
  onProgress?(share: number, bytes: number): void;
}

/** Slices of results with tables: each thread holds a few of them in memory. */
const ENCODE_SLICE = 4 * 1024 * 1024;
/** More threads than this would pass the memory bound of a conversion before they pass the disk's speed. */
const MAX_DEFAULT_THREADS = 6;
/** Work below this is done before another thread has started: bytes read and written, and bytes through a codec. */
const PLAIN_PER_THREAD = 512 * 1024 * 1024;
const CODED_PER_THREAD = 64 * 1024 * 1024;
const PROGRESS_MS = 100;

/**
 * Converts `input` to `output`.
 * @throws Unsafe, LimitExceeded and other FormatErrors when the image is refused; the file system's errors; the signal's
 *   reason. Nothing stands at `output` then but what stood there before.
 */
export async function convertFile(input: string, output: string, options: ConvertOptions): Promise<Inspection> {
  const { inspection, plan } = await planFile(input, options);
  const name = join(dirname(output), `.${basename(output)}.${randomBytes(6).toString('hex')}`);
  const assignment: Assignment = {
    input,
    output: `${name}.tmp`,
    scratch: `${name}.scratch`,
    plan,
    maxRatio: options.maxRatio,
    state: sharedState(plan),
  };
  const remove = (): void => {
    for (const path of [assignment.output, assignment.scratch]) rmSync(path, { force: true });
  };
  // A second signal, or one that ends the process, must not leave files behind either.
  process.once('exit', remove);
  try {
    createFiles(assignment);
    await runPhases(assignment, options.threads ?? threadsFor(inspection, plan), options);
    options.signal.throwIfAborted();
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
  const source = await fileSource(input);
  try {
    const inspection = await inspect(source, {
      ...(options.declared === undefined ? {} : { declared: options.declared }),
      maxVirtualSize: options.maxVirtualSize,
      signal: options.signal,
    });
    assertConvertible(inspection, { format: options.target.target }, options.maxRatio);
    const image = await openImage(source, inspection.format);
    const slice = options.target.target === 'raw' ? undefined : ENCODE_SLICE;
    const plan = planConversion(image, source, options.target, slice);
    return { inspection, plan: { ...plan, source: { ...plan.source, format: inspection.format } } };
  } finally {
    await source.close();
  }
}

function createFiles({ output, scratch, plan }: Assignment): void {
  const raw = plan.target.format === 'raw';
  const descriptor = openSync(output, 'wx');
  if (raw) ftruncateSync(descriptor, plan.outputSize);
  closeSync(descriptor);
  if (!raw) closeSync(openSync(scratch, 'wx', 0o600));
}

/** Threads worth their start, which costs about a tenth of a second of a processor each. */
function threadsFor({ allocatedBytes, fileSize, virtualSize }: Inspection, plan: ConversionPlan): number {
  const data = allocatedBytes ?? virtualSize ?? fileSize;
  const coded = plan.target.compression !== 'none' || fileSize < data * 0.9;
  const useful = Math.ceil(data / (coded ? CODED_PER_THREAD : PLAIN_PER_THREAD));
  return Math.max(1, Math.min(availableParallelism(), MAX_DEFAULT_THREADS, useful));
}

async function runPhases(assignment: Assignment, wanted: number, options: ConvertOptions): Promise<void> {
  const { plan, state } = assignment;
  const crew = await hireCrew(assignment, Math.min(wanted, plan.sliceCount));
  const ended = watch(state, plan, options);
  try {
    if (plan.target.format === 'raw') await crew.run({ kind: 'raw' });
    else await encodeAndPlace(crew, assignment, options.signal);
  } finally {
    ended();
    await crew.close();
  }
}

async function encodeAndPlace(crew: Crew, assignment: Assignment, signal: AbortSignal): Promise<void> {
  const { plan, state } = assignment;
  await crew.run({ kind: 'encode' });
  signal.throwIfAborted();
  const assembly = assemble(plan, state.index);
  restart(state);
  const placed = crew.run({ kind: 'place', places: assembly.slices });
  try {
    writeTables(assignment.output, assembly);
  } finally {
    await placed;
  }
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
  const work = plan.outputSize * (plan.target.format === 'raw' ? 1 : 2);
  const report = (): void => options.onProgress?.(Math.min(1, doneBytes(state) / work), plan.outputSize);
  const timer = setInterval(report, PROGRESS_MS);
  const abort = (): void => stop(state);
  options.signal.addEventListener('abort', abort, { once: true });
  return () => {
    clearInterval(timer);
    options.signal.removeEventListener('abort', abort);
    report();
  };
}
