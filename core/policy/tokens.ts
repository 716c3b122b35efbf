/** A word of a rule with its place. Parentheses are words of their own; the rest stays together. */
export interface Token {
  readonly kind: '(' | ')' | 'and' | 'or' | 'not' | 'check';
  readonly text: string;
  /** Characters from the start of the rule. */
  readonly position: number;
}

const KEYWORDS = new Set(['and', 'or', 'not']);

/**
 * Splits a rule at white space, then takes `(` from the front and `)` from the end of each word. A parenthesis inside, as in
 * `%(owner)s`, belongs to the word.
 */
export function tokensOf(rule: string): Token[] {
  return [...rule.matchAll(/\S+/g)].flatMap((match) => tokensOfWord(match[0], match.index));
}

function tokensOfWord(word: string, at: number): Token[] {
  const opening = /^\(*/.exec(word)?.[0].length ?? 0;
  const rest = word.slice(opening);
  const closing = /\)*$/.exec(rest)?.[0].length ?? 0;
  const text = rest.slice(0, rest.length - closing);
  const parentheses = (kind: '(' | ')', count: number, from: number): Token[] =>
    Array.from({ length: count }, (_, n) => ({ kind, text: kind, position: from + n }));
  return [
    ...parentheses('(', opening, at),
    ...(text === '' ? [] : [wordToken(text, at + opening)]),
    ...parentheses(')', closing, at + opening + text.length),
  ];
}

function wordToken(text: string, position: number): Token {
  const lower = text.toLowerCase();
  return { kind: KEYWORDS.has(lower) ? (lower as 'and' | 'or' | 'not') : 'check', text, position };
}
