/** The figures of all recorded runs: a table in docs/fuzzing.md, one row per parser and seed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What inputs of one parser came to. */
export interface Figures {
  inputs: number;
  accepted: number;
  opened: number;
  typedErrors: number;
  slowestMs: number;
}

const FILE = join(import.meta.dirname, '../../docs/fuzzing.md');
const ROW = /^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/u;

function rowOf(format: string, seed: string, figures: Figures): string {
  const { inputs, accepted, opened, typedErrors, slowestMs } = figures;
  return `| ${[format, seed, inputs, accepted, opened, typedErrors, Math.ceil(slowestMs)].join(' | ')} |`;
}

function figuresIn(line: string | undefined): Figures {
  const [inputs = 0, accepted = 0, opened = 0, typedErrors = 0, slowestMs = 0] = (ROW.exec(line ?? '') ?? [])
    .slice(3)
    .map(Number);
  return { inputs, accepted, opened, typedErrors, slowestMs };
}

function lineAt(lines: readonly string[], format: string, seed: string): number {
  return lines.findIndex((line) => line.startsWith(`| ${format} | ${seed} |`));
}

/** Inputs that are done: the number of the next one. */
export function doneInputs(format: string, seed: string): number {
  const lines = readFileSync(FILE, 'utf8').split('\n');
  return figuresIn(lines[lineAt(lines, format, seed)]).inputs;
}

/** Adds a run without failures. Processes side by side end at different times; a row lost to a tie is only done again. */
export function addRecord(format: string, seed: string, run: Figures): void {
  const lines = readFileSync(FILE, 'utf8').trimEnd().split('\n');
  const at = lineAt(lines, format, seed);
  const before = figuresIn(lines[at]);
  const row = rowOf(format, seed, {
    inputs: before.inputs + run.inputs,
    accepted: before.accepted + run.accepted,
    opened: before.opened + run.opened,
    typedErrors: before.typedErrors + run.typedErrors,
    slowestMs: Math.max(before.slowestMs, run.slowestMs),
  });
  if (at < 0) lines.push(row);
  else lines[at] = row;
  writeFileSync(FILE, `${lines.join('\n')}\n`);
}
