/** What commands write on standard output: lines and tables for people, a JSON object per line for programs. */
import { printable, printableJson } from './printable.ts';

/** One JSON object. */
export function writeJson(value: unknown): void {
  process.stdout.write(`${printableJson(value)}\n`);
}

export function writeLine(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

/** Columns as wide as their widest cell, the last one as it is; no order of a terminal passes. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
