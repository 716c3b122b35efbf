/** Edits that still look like a slip, by the length of the shorter word: none in three letters, two in eight. */
const slips = (length: number): number => Math.min(2, Math.floor(length / 4));

/**
 * The candidate that was probably meant: the same but for case and separators, or few edits away. Undefined when none is near,
 * or the word is a candidate itself.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.includes(word)) return undefined;
  const plainWord = plain(word);
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const plainCandidate = plain(candidate);
    const limit = Math.min(slips(Math.min(plainWord.length, plainCandidate.length)), (best?.distance ?? 3) - 1);
    if (Math.abs(plainWord.length - plainCandidate.length) > limit) continue;
    const distance = editDistance(plainWord, plainCandidate);
    if (distance <= limit) best = { candidate, distance };
  }
  return best?.candidate;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_.: ]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + same);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) least = Math.min(least, at(beforeLast, column - 2) + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? 0;
}
