import { readFileSync } from 'node:fs';
import type { Judgement } from './judge.ts';

/** What one test of a suite by others came to. */
export interface Verdict {
  /** As the suite names it. */
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Of a failure or a skip: what was said, its first lines. */
  readonly why: string;
  /** Requests that were answered 501 NotImplemented while it ran, and decided it. */
  readonly refused: readonly string[];
}

/** Why tests differ: each reason with the names that it explains. A name may end with `*`, for all that begin so. */
type Known = Readonly<Record<string, readonly string[]>>;

/** How a reason begins that lies in a race: what it explains may be equal, too. */
const NOW_AND_THEN = 'now and then ';

/** Reads a list of known differences. */
export const readKnown = (file: string): Known => JSON.parse(readFileSync(file, 'utf8')) as Known;

/**
 * What a suite says. Nothing is left out by hand: a test is picked unless the suite skips it or it asks for an operation that is not
 * offered (its failure comes with a 501); of those picked, each that differs is listed with a reason, or a failure. A name in the
 * list that is equal, or is not there any more, is a failure too, unless its reason is a race.
 */
export function judgement(verdicts: readonly Verdict[], known: Known): Judgement {
  const skipped = verdicts.filter(({ outcome }) => outcome === 'skipped');
  const beyond = verdicts.filter(({ outcome, refused }) => outcome === 'failed' && refused.length > 0);
  const equal = verdicts.filter(({ outcome }) => outcome === 'passed');
  const different = verdicts.filter(({ outcome, refused }) => outcome === 'failed' && refused.length === 0);
  const explains = (pattern: string, name: string): boolean =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  const explained = Object.entries(known).map(([reason, patterns]) => ({
    reason,
    stale: patterns.filter(
      (pattern) => !reason.startsWith(NOW_AND_THEN) && !different.some(({ name }) => explains(pattern, name)),
    ),
    names: different.map(({ name }) => name).filter((name) => patterns.some((pattern) => explains(pattern, name))),
  }));
  const reasoned = new Set(explained.flatMap(({ names }) => names));
  const wrong = different.filter(({ name }) => !reasoned.has(name));
  return {
    counts: {
      tests: verdicts.length,
      'skipped by the suite': skipped.length,
      'ask for an operation that is not offered': beyond.length,
      picked: equal.length + different.length,
      equal: equal.length,
      'differ for a reason': different.length - wrong.length,
      'differ without a reason': wrong.length,
    },
    failures: [
      ...wrong.map(({ name, why }) => `${name}: ${why.split('\n').slice(0, 6).join(' | ')}`),
      ...explained.flatMap(({ stale }) => stale.map((name) => `${name} is listed as different and is not`)),
    ],
    accepted: [
      ...counted(skipped.map(({ why }) => why)).map(([why, count]) => `${count} skipped by the suite: ${why}`),
      ...counted(beyond.map(({ refused }) => refused[0] ?? '')).map(
        ([request, count]) => `${count} ask for ${request}`,
      ),
      ...explained.filter(({ names }) => names.length > 0).map(({ reason, names }) => `${names.length} ${reason}`),
    ],
  };
}

/** How often each text is there, most often first. */
function counted(texts: readonly string[]): [text: string, count: number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}
