/** Slices rendered by processes of their own, and what they are put together from, beside the program in one process. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { convertFile } from '../../../cli/convert/job.ts';
import { assemble, regions } from '../../../formats/convert/assembly.ts';
import { type ConversionPlan, planConversion, type TargetOptions } from '../../../formats/convert/plan.ts';
import { blockingFileSource } from '../../../formats/node/file-source.ts';
import { openImage } from '../../../formats/registry.ts';
import type { RenderedSlice } from '../../support/render-slice.ts';

const run = promisify(execFile);
const RENDER = fileURLToPath(new URL('../../support/render-slice.ts', import.meta.url));
const MIB = 1024 * 1024;
/** As the program cuts results with tables. */
const SLICE = 4 * MIB;
const LIMITS = { maxVirtualSize: 2 ** 40, maxRatio: 2000, threads: 1, signal: new AbortController().signal };

const dir = mkdtempSync(join(tmpdir(), 'glimpse-processes-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Noise that is stored as it is, text that compresses, and holes, in every slice; the last slice is short. */
function disk(): Buffer {
  const bytes = Buffer.alloc(9 * MIB + 512);
  for (let at = 0; at < bytes.length; at += 96 * 1024) {
    const end = Math.min(bytes.length, at + 96 * 1024);
    const kind = (at / (96 * 1024)) % 3;
    if (kind === 0) bytes.fill(`a line of text at ${at} `, at, end);
    for (let noise = at; kind === 1 && noise < end; noise += 64) {
      createHash('sha512')
        .update(`${noise}`)
        .digest()
        .copy(bytes, noise, 0, end - noise);
    }
  }
  return bytes;
}

/** Runs the worker for each number, two at a time. */
async function render(jobPath: string, numbers: readonly number[]): Promise<void> {
  const queue = [...numbers];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await run(process.execPath, [RENDER, jobPath, `${next}`]);
    }
  };
  await Promise.all([lane(), lane()]);
}

function joined(plan: ConversionPlan, slices: readonly RenderedSlice[]): Buffer {
  const bytesOf = (slice: number, body: 'plain' | 'packed'): Buffer => Buffer.from(slices[slice]![body], 'base64');
  if (plan.target.format === 'raw') {
    const out = Buffer.alloc(plan.outputSize);
    for (let slice = 0; slice < slices.length; slice++) out.set(bytesOf(slice, 'plain'), slice * plan.sliceSize);
    return out;
  }
  const assembly = assemble(plan, Uint32Array.from(slices.flatMap(({ index }) => index)));
  const pieces = [...regions(assembly)].map(({ kind, slice, length }) => {
    if (kind === 'gap') return Buffer.alloc(length);
    return kind === 'head' || kind === 'tail' ? Buffer.concat([...assembly[kind]()]) : bytesOf(slice, kind);
  });
  return Buffer.concat(pieces);
}

describe.each<TargetOptions>([
  { target: 'raw' },
  { target: 'qcow2' },
  { target: 'qcow2', compression: 'zlib' },
  { target: 'vmdk' },
  { target: 'vhd' },
  { target: 'vhdx' },
])('slices of $target $compression in separate processes', (target) => {
  it('that get the path of the plan and a number, shuffled and twice, make the same file as one process', async () => {
    const name = join(dir, Object.values(target).join('-'));
    writeFileSync(`${name}.in`, disk());
    const source = blockingFileSource(`${name}.in`);
    const plan = planConversion(await openImage(source, 'raw'), source, target, SLICE);
    await source.close();
    writeFileSync(`${name}.job`, JSON.stringify({ plan, input: `${name}.in` }));

    await render(`${name}.job`, [2, 0, 1, 2, 1, 0]);
    await convertFile(`${name}.in`, `${name}.out`, { ...LIMITS, target });

    const slices = [0, 1, 2].map((slice) => JSON.parse(readFileSync(`${name}.job.${slice}`, 'utf8')) as RenderedSlice);
    expect(joined(plan, slices).equals(readFileSync(`${name}.out`))).toBe(true);
  });
});
