/** Lines that changed, as git tells them. */
import { execFileSync } from 'node:child_process';

export interface ChangedLine {
  /** From the root of the repository. */
  readonly file: string;
  /** From 1, in the file as it is now. */
  readonly line: number;
}

/** Lines of sources under `folders` that are other than at `base`, or were not there. @throws Error when git knows no `base` */
export function changedLines(base: string, folders: readonly string[]): ChangedLine[] {
  const diff = execFileSync(
    'git',
    ['diff', '--unified=0', '--no-color', '--no-ext-diff', '-M', base, '--', ...folders],
    {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    },
  );
  return linesOf(diff).filter(({ file }) => file.endsWith('.ts'));
}

/** The new lines of a unified diff without context. */
export function linesOf(diff: string): ChangedLine[] {
  const lines: ChangedLine[] = [];
  let file = '';
  for (const text of diff.split('\n')) {
    const name = /^\+\+\+ (?:b\/)?(.*)$/u.exec(text)?.[1];
    if (name !== undefined) file = name;
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/u.exec(text);
    if (hunk === null) continue;
    const [first, count] = [Number(hunk[1]), Number(hunk[2] ?? 1)];
    for (let line = first; line < first + count; line++) lines.push({ file, line });
  }
  return lines;
}

/** At most `most` of them, evenly spread: a large change is sampled in each of its files. */
export function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, n) => all[Math.floor((n * all.length) / most)] as T);
}
