/**
 * Mutation fuzzing of every parser: `npm run fuzz -- [--inputs N] [--format NAME] [--seed N] [--record] [--coverage]`. Each
 * input is a known image with a few bytes changed; it must end in a verdict or a typed error within a second and bounded
 * memory, without a read outside the object. Exit 1 when one does not; its number and edits are printed. N inputs per
 * format, 20,000 when absent; formats run two at a time in processes of their own. An input follows from seed, format and
 * number alone: `--record` goes on behind the numbers that docs/fuzzing.md says are done, and adds to them.
 * `--coverage` measures what ran, in one process and several times slower.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect as inspectValue, parseArgs } from 'node:util';
import { type CompressionKind, compressionOf, openDecompressor } from '../../formats/engine/decompress/decompress.ts';
import { FormatError } from '../../formats/engine/errors.ts';
import type { FormatName } from '../../formats/engine/image.ts';
import { inspect } from '../../formats/inspect.ts';
import { openImage } from '../../formats/registry.ts';
import { Coverage } from './coverage.ts';
import { type Mutant, MutantSource, mutate, Random } from './mutate.ts';
import { addRecord, doneInputs, type Figures } from './record.ts';
import { type Seed, seeds } from './seeds.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '20000' },
    format: { type: 'string' },
    seed: { type: 'string', default: '1' },
    record: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
  },
});
const INPUTS = Number(values.inputs);
const LIMIT_MS = 1000;
const LIMIT_RSS = 512 * 1024 * 1024;
const READ_BYTES = 64 * 1024;
const MAX_VIRTUAL = 2 ** 36;
const MAX_UNPACKED = 2 ** 18;

const all = seeds();
const baseline = process.memoryUsage.rss();
let peak = 0;

interface Tally extends Figures {
  readonly failures: string[];
}

/** Looks at a mutant as the service would, then opens and reads or unpacks it even where that was refused. */
async function exercise(source: MutantSource, format: FormatName, random: Random, tally: Tally): Promise<void> {
  const inspection = await inspect(source, { maxVirtualSize: MAX_VIRTUAL });
  if (inspection.verdict !== 'refuse') tally.accepted += 1;
  try {
    const wrapper = compressionOf(await source.read(0, Math.min(8, source.size)));
    if (wrapper !== undefined && wrapper === format) return await unpack(source, wrapper, tally);
    const image = await openImage(source, format);
    tally.opened += 1;
    if (image.virtualSize === 0) return;
    const offset = random.below(Math.min(image.virtualSize, 2 ** 31));
    for await (const _ of image.extents(offset, Math.min(image.virtualSize, offset + 2 ** 26)));
    await image.readInto(offset, new Uint8Array(Math.min(READ_BYTES, image.virtualSize - offset)));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    tally.typedErrors += 1;
  }
}

/** As the import's decompress step does; the limit is far above what the seeds hold. */
async function unpack(source: MutantSource, kind: CompressionKind, tally: Tally): Promise<void> {
  const chunks = openDecompressor(kind)(source, { maxOutputBytes: MAX_UNPACKED });
  tally.opened += 1;
  for await (const _ of chunks);
}

function describeMutant(seed: Seed, mutant: Mutant): string {
  const edits = mutant.edits.map((edit) => `${edit.offset}:${Buffer.from(edit.bytes.subarray(0, 16)).toString('hex')}`);
  return `${seed.name} size ${mutant.size} edits ${edits.join(' ')}`;
}

/**
 * Input `number` of a format: which image, which edits and what is read of it follow from the number. Returns milliseconds of
 * processor time, which a busy machine does not lengthen; nothing here waits for anything else.
 */
async function attempt(format: FormatName, group: readonly Seed[], number: number, tally: Tally): Promise<number> {
  const random = new Random(Number(values.seed) + Math.imul(number + 1, 0x9e3779b1));
  const seed = random.pick(group);
  const mutant = mutate(random, seed.bytes);
  const started = process.cpuUsage();
  try {
    await exercise(new MutantSource(seed.bytes, mutant), format, random, tally);
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1000;
  } catch (error) {
    throw new Error(describeMutant(seed, mutant), { cause: error });
  }
}

async function fuzzFormat(format: FormatName, group: readonly Seed[], from: number): Promise<Tally> {
  const tally: Tally = { inputs: 0, accepted: 0, opened: 0, typedErrors: 0, slowestMs: 0, failures: [] };
  for (; tally.inputs < INPUTS; tally.inputs++) {
    const number = from + tally.inputs;
    let ms = 0;
    try {
      ms = await attempt(format, group, number, tally);
    } catch (error) {
      tally.failures.push(`input ${number}: ${inspectValue(error)}`);
    }
    tally.slowestMs = Math.max(tally.slowestMs, ms);
    if (ms > LIMIT_MS) tally.failures.push(`input ${number}: ${ms.toFixed(0)} ms`);
    if (tally.inputs % 256 === 0) {
      // Node frees native memory in turns of the event loop, and nothing else here waits for one.
      await setImmediate();
      peak = Math.max(peak, process.memoryUsage.rss() - baseline);
    }
    if (tally.failures.length >= 10) break;
  }
  return tally;
}

async function fuzzHere(formats: readonly FormatName[]): Promise<boolean> {
  let failed = false;
  for (const format of formats) {
    const group = all.filter((seed) => seed.format === format);
    const from = values.record ? doneInputs(format, values.seed) : 0;
    const started = performance.now();
    const tally = await fuzzFormat(format, group, from);
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${format.padEnd(7)} inputs ${from} to ${from + tally.inputs} of ${group.length} seeds: ${tally.accepted} accepted, ${tally.opened} opened, ` +
        `${tally.typedErrors} typed errors, slowest ${tally.slowestMs.toFixed(0)} ms, ${(tally.inputs / seconds).toFixed(0)}/s, ` +
        `memory grew by ${(peak / 2 ** 20).toFixed(0)} MiB`,
    );
    for (const failure of tally.failures) console.log(`  FAILED ${failure}`);
    failed ||= tally.failures.length > 0 || peak > LIMIT_RSS;
    if (values.record && tally.failures.length === 0) addRecord(format, values.seed, tally);
  }
  if (peak > LIMIT_RSS) console.log('FAILED memory');
  return failed;
}

/** One process per format, two at a time. */
async function fuzzApart(formats: readonly FormatName[]): Promise<boolean> {
  const queue = [...formats];
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let format = queue.shift(); format !== undefined; format = queue.shift()) {
      const args = [...process.argv.slice(2), '--format', format];
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...args], { stdio: 'inherit' });
      const [code] = (await once(child, 'exit')) as [number | null];
      failed ||= code !== 0;
    }
  };
  await Promise.all([lane(), lane()]);
  return failed;
}

async function reportCoverage(coverage: Coverage): Promise<void> {
  for (const [folder, row] of [...(await coverage.report())].toSorted()) {
    const percent = (100 * row.covered) / Math.max(1, row.bytes);
    console.log(
      `coverage ${folder.padEnd(12)} ${row.ran} of ${row.functions} functions, ${percent.toFixed(0)} % of their code`,
    );
  }
}

const known = [...new Set(all.map((seed) => seed.format))];
const wanted = values.format === undefined ? known : known.filter((format) => format === values.format);
if (values.coverage) {
  const coverage = new Coverage();
  await coverage.start();
  process.exitCode = (await fuzzHere(wanted)) ? 1 : 0;
  await reportCoverage(coverage);
} else {
  process.exitCode = (await (wanted.length > 1 ? fuzzApart(wanted) : fuzzHere(wanted))) ? 1 : 0;
}
