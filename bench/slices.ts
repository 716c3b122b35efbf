/**
 * Slices rendered by separate processes: `node bench/slices.ts [--dir DIR] [--size MiB] [--runs N]`. Each process gets
 * only the path of the plan and its share of slice numbers, as a function would; two must be at least 1.7 times as fast
 * as one. Wall time from the first process's start to the last one's end; the start of a process, printed, is part of
 * both. Beside it the most that this machine gives to a second process: the same for inflating in memory alone. Then the
 * projected time and cost of 100 GiB on many functions, with the assumptions printed.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { assertPlanFits, type ConversionPlan, planConversion } from '../formats/engine/convert/plan.ts';
import { renderRawSlice } from '../formats/engine/convert/raw.ts';
import { InflatePairs } from '../formats/engine/inflate/pair.ts';
import { packSlice } from '../formats/engine/sparse/pack.ts';
import { blockingFileSource } from '../formats/node/file-source.ts';
import { openImage } from '../formats/registry.ts';
import { halfCompressible } from './data.ts';

const MIB = 1024 * 1024;
const BLOCK = 64 * 1024;
const CLI = fileURLToPath(new URL('../cli/bin.mjs', import.meta.url));
const { values } = parseArgs({
  options: {
    dir: { type: 'string', default: tmpdir() },
    size: { type: 'string', default: '4096' },
    runs: { type: 'string', default: '3' },
    plan: { type: 'string' },
    input: { type: 'string' },
    first: { type: 'string' },
    step: { type: 'string' },
    blocks: { type: 'string' },
  },
});

/** A worker: every `step`-th slice from `first` on, rendered and packed as it would be stored, as bytes/render/pack-slices.ts does. */
async function work(planPath: string, input: string, first: number, step: number): Promise<void> {
  const plan = JSON.parse(readFileSync(planPath, 'utf8')) as ConversionPlan;
  const source = blockingFileSource(input);
  assertPlanFits(plan, source);
  const image = await openImage(source, plan.source.format);
  const memory = Buffer.alloc(plan.sliceSize);
  for (let slice = first; slice < plan.sliceCount; slice += step) {
    const bytes = await renderRawSlice(image, plan, slice, memory);
    if (bytes !== null) packSlice(bytes, BLOCK, bytes);
  }
  await source.close();
}

/** A worker of the floor: so many blocks are inflated in memory that stays in the processor's cache. */
function inflateBlocks(count: number): void {
  const block = Buffer.alloc(BLOCK);
  halfCompressible(block, 1);
  const stream = deflateRawSync(block);
  const pairs = new InflatePairs('raw');
  for (let n = 0; n < count; n++) pairs.add(stream, block);
  pairs.end();
}

function makeImage(dir: string): string {
  const raw = join(dir, 'data.raw');
  const descriptor = openSync(raw, 'w');
  const size = Number(values.size);
  const chunk = Buffer.alloc(MIB);
  for (let n = 0; n < size; n++) {
    halfCompressible(chunk, n);
    writeSync(descriptor, chunk, 0, MIB, n * MIB);
  }
  closeSync(descriptor);
  const image = join(dir, 'data.qcow2');
  execFileSync(process.execPath, [CLI, 'convert', '-O', 'qcow2', '--compress', 'zlib', raw, image]);
  rmSync(raw);
  return image;
}

/** Wall seconds of processes of this file with these arguments, their start included. */
async function timed(workers: readonly (readonly string[])[]): Promise<number> {
  const started = performance.now();
  const children = workers.map((args) =>
    spawn(process.execPath, [fileURLToPath(import.meta.url), ...args], { stdio: 'inherit' }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number | null));
  if (codes.some((code) => code !== 0)) throw new Error(`workers ended with ${codes.join(', ')}`);
  return (performance.now() - started) / 1000;
}

/** Medians of one process for everything, and of two for half each; the runs take turns. */
async function oneAndTwo(workers: (processes: number) => readonly (readonly string[])[]): Promise<[number, number]> {
  const one: number[] = [];
  const two: number[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    one.push(await timed(workers(1)));
    two.push(await timed(workers(2)));
  }
  return [median(one), median(two)];
}

/** Lambda: 1769 MB is one processor; price per GB-second on x86 in us-east-1; one GET and one PUT per slice. */
const FUNCTION_GB = 1769 / 1024;
const PRICE_GB_SECOND = 0.0000166667;
const PRICE_GET = 0.0000004;
const PRICE_PUT = 0.000005;
/** Bytes per second of one function to and from S3, and its start when cold. */
const NETWORK = 75 * MIB;
const COLD_START_SECONDS = 1;

/** Prints what 100 GiB of compressed qcow2 would take at the measured rate per processor. */
function project(bytesPerSecond: number): void {
  const bytes = 100 * 1024 * MIB;
  const slices = bytes / (16 * MIB);
  const work = bytes / bytesPerSecond + (1.5 * bytes) / NETWORK;
  console.log(
    '100 GiB of data, qcow2 zlib to sparse raw, projected from the one-process rate; assumptions: one processor per',
  );
  console.log(
    `function (${FUNCTION_GB.toFixed(2)} GB at $${PRICE_GB_SECOND}/GB-s), 1.5 bytes moved per byte at ${NETWORK / MIB} MiB/s, cold start ${COLD_START_SECONDS} s,`,
  );
  console.log(
    `one GET ($${PRICE_GET}) and one PUT ($${PRICE_PUT}) per slice, no time for planning and copies between regions`,
  );
  for (const functions of [1, 10, 100, 1000]) {
    const seconds = (work * Math.ceil(slices / functions)) / slices + COLD_START_SECONDS;
    const cost =
      (work + functions * COLD_START_SECONDS) * FUNCTION_GB * PRICE_GB_SECOND + slices * (PRICE_GET + PRICE_PUT);
    console.log(`${String(functions).padStart(5)} functions: ${seconds.toFixed(0).padStart(6)} s, $${cost.toFixed(3)}`);
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

async function compare(): Promise<void> {
  const dir = mkdtempSync(join(values.dir, 'glimpse-slices-'));
  try {
    const input = makeImage(dir);
    const source = blockingFileSource(input);
    const plan = planConversion(await openImage(source, 'qcow2'), source, { target: 'raw' });
    await source.close();
    const planPath = join(dir, 'plan.json');
    writeFileSync(planPath, JSON.stringify(plan));
    // Functions are deployed as bundles: what the workers load is compiled once, before anything is measured.
    process.env['NODE_COMPILE_CACHE'] = join(dir, 'cache');
    await timed([['--blocks', '0']]);
    const [start] = await oneAndTwo(() => [['--blocks', '0']]);
    const share = (processes: number) => Array.from({ length: processes }, (_, first) => first);
    const [one, two] = await oneAndTwo((processes) =>
      share(processes).map((first) => [
        '--plan',
        planPath,
        '--input',
        input,
        '--first',
        `${first}`,
        '--step',
        `${processes}`,
      ]),
    );
    const blocks = (Number(values.size) * MIB) / BLOCK;
    const floor = await oneAndTwo((processes) =>
      share(processes).map(() => ['--blocks', `${Math.ceil(blocks / processes)}`]),
    );
    const speedUp = one / two;
    console.log(`${values.size} MiB of data; each process takes ${start.toFixed(2)} s to start, which is counted`);
    console.log(
      `1 process ${one.toFixed(2)} s, 2 processes ${two.toFixed(2)} s: ${speedUp.toFixed(2)} times (at least 1.7)${speedUp >= 1.7 ? '' : ' MISSED'}`,
    );
    console.log(
      `the same blocks inflated without files: ${floor[0].toFixed(2)} s, ${floor[1].toFixed(2)} s: ${(floor[0] / floor[1]).toFixed(2)} times`,
    );
    project((Number(values.size) * MIB) / one);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const { plan, input, first, step, blocks } = values;
if (blocks !== undefined) inflateBlocks(Number(blocks));
else if (plan === undefined || input === undefined) await compare();
else await work(plan, input, Number(first), Number(step));
