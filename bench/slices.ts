/**
 * Slices rendered by separate processes: `node bench/slices.ts [--dir DIR] [--size MiB] [--runs N]`. Each process gets
 * only the path of the plan and its share of slice numbers, as a function would; two must be at least 1.7 times as fast
 * as one. Then the projected time and cost of 100 GiB on many functions, with the assumptions printed. Needs qemu-img.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { assertPlanFits, type ConversionPlan, planConversion } from '../formats/convert/plan.ts';
import { renderRawSlice } from '../formats/convert/raw.ts';
import { blockingFileSource } from '../formats/file-source.ts';
import { openImage } from '../formats/registry.ts';
import { packSlice } from '../formats/sparse/pack.ts';
import { halfCompressible } from './data.ts';

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    dir: { type: 'string', default: tmpdir() },
    size: { type: 'string', default: '1024' },
    runs: { type: 'string', default: '3' },
    plan: { type: 'string' },
    input: { type: 'string' },
    first: { type: 'string' },
    step: { type: 'string' },
  },
});

/** A worker: every `step`-th slice from `first` on, rendered and packed as it would be stored. */
async function work(planPath: string, input: string, first: number, step: number): Promise<void> {
  const plan = JSON.parse(readFileSync(planPath, 'utf8')) as ConversionPlan;
  const source = blockingFileSource(input);
  assertPlanFits(plan, source);
  const image = await openImage(source, plan.source.format);
  for (let slice = first; slice < plan.sliceCount; slice += step) {
    const bytes = await renderRawSlice(image, plan, slice);
    if (bytes !== null) packSlice(bytes);
  }
  await source.close();
}

function makeImage(dir: string): string {
  const raw = join(dir, 'data.raw');
  const descriptor = openSync(raw, 'w');
  const size = Number(values.size);
  ftruncateSync(descriptor, size * MIB);
  const chunk = Buffer.alloc(MIB);
  for (let n = 0; n < size; n++) {
    halfCompressible(chunk, n);
    writeSync(descriptor, chunk, 0, MIB, n * MIB);
  }
  closeSync(descriptor);
  const image = join(dir, 'data.qcow2');
  execFileSync('qemu-img', ['convert', '-c', '-f', 'raw', '-O', 'qcow2', raw, image]);
  rmSync(raw);
  return image;
}

/** Wall seconds of all slices on so many processes, their start included. */
async function timed(planPath: string, input: string, processes: number): Promise<number> {
  const started = performance.now();
  const children = Array.from({ length: processes }, (_, first) =>
    spawn(
      process.execPath,
      [
        fileURLToPath(import.meta.url),
        '--plan',
        planPath,
        '--input',
        input,
        '--first',
        `${first}`,
        '--step',
        `${processes}`,
      ],
      { stdio: 'inherit' },
    ),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number | null));
  if (codes.some((code) => code !== 0)) throw new Error(`workers ended with ${codes.join(', ')}`);
  return (performance.now() - started) / 1000;
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
    const one: number[] = [];
    const two: number[] = [];
    for (let run = 0; run < Number(values.runs); run++) {
      one.push(await timed(planPath, input, 1));
      two.push(await timed(planPath, input, 2));
    }
    const speedUp = median(one) / median(two);
    const verdict = speedUp >= 1.7 ? '' : ' MISSED';
    console.log(
      `1 process ${median(one).toFixed(2)} s, 2 processes ${median(two).toFixed(2)} s: ${speedUp.toFixed(2)} times (at least 1.7)${verdict}`,
    );
    project((Number(values.size) * MIB) / median(one));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const { plan, input, first, step } = values;
if (plan === undefined || input === undefined) await compare();
else await work(plan, input, Number(first), Number(step));
