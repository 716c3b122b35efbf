import { type Expression, type Left, PolicySyntaxError, type Template } from './expression.ts';
import { type Token, tokensOf } from './tokens.ts';

/**
 * Reads a rule: `or` binds weakest, then `and`, then `not`; the empty rule always holds.
 * The original lets a rule it cannot read evaluate to false; here it is an error, so that a typing mistake stops the start.
 * @throws PolicySyntaxError with the place of the mistake.
 */
export function parseRule(rule: string): Expression {
  const tokens = tokensOf(rule);
  if (tokens.length === 0) return { kind: 'constant', value: true };
  const reader = new Reader(tokens, rule.length);
  const expression = parseOr(reader, 0);
  const left = reader.next();
  if (left !== undefined)
    throw new PolicySyntaxError(
      left.kind === ')' ? 'a ")" without "("' : `"and" or "or" is missing before ${quoted(left)}`,
      left.position,
    );
  return expression;
}

/**
 * Reads the older list form: a check, or a list of lists of checks, the inner ones joined by `and`, the outer by `or`.
 * @throws PolicySyntaxError; `position` is the index in the outer list.
 */
export function parseListRule(rule: readonly unknown[]): Expression {
  if (rule.length === 0) return { kind: 'constant', value: true };
  const alternatives = rule.map((item, at) => {
    const checks = typeof item === 'string' ? [item] : item;
    if (!Array.isArray(checks)) throw new PolicySyntaxError('a list rule holds checks and lists of checks', at);
    const parsed = checks.map((check) => {
      if (typeof check !== 'string') throw new PolicySyntaxError('a list rule holds checks and lists of checks', at);
      return parseCheck(check, at);
    });
    return joined('and', parsed);
  });
  return joined('or', alternatives);
}

/** Deeper nesting has no use and would only be a way to exhaust the stack. */
const MAX_DEPTH = 100;

class Reader {
  readonly #tokens: readonly Token[];
  readonly end: number;
  #at = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.end = end;
  }

  next(): Token | undefined {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return token;
  }

  /** Takes the next token if it is of this kind. */
  take(kind: Token['kind']): boolean {
    const isIt = this.#tokens[this.#at]?.kind === kind;
    if (isIt) this.#at += 1;
    return isIt;
  }
}

function parseOr(reader: Reader, depth: number): Expression {
  const parts = [parseAnd(reader, depth)];
  while (reader.take('or')) parts.push(parseAnd(reader, depth));
  return joined('or', parts);
}

function parseAnd(reader: Reader, depth: number): Expression {
  const parts = [parseNot(reader, depth)];
  while (reader.take('and')) parts.push(parseNot(reader, depth));
  return joined('and', parts);
}

function parseNot(reader: Reader, depth: number): Expression {
  return reader.take('not') ? { kind: 'not', of: parseAtom(reader, depth) } : parseAtom(reader, depth);
}

function parseAtom(reader: Reader, depth: number): Expression {
  const token = reader.next();
  if (token === undefined) throw new PolicySyntaxError('the rule ends where a check is expected', reader.end);
  if (token.kind === 'check') return parseCheck(token.text, token.position);
  if (token.kind !== '(') throw new PolicySyntaxError(`a check is expected, not ${quoted(token)}`, token.position);
  if (depth === MAX_DEPTH) throw new PolicySyntaxError('the parentheses are nested too deeply', token.position);
  const inner = parseOr(reader, depth + 1);
  if (!reader.take(')')) throw new PolicySyntaxError('a "(" without ")"', token.position);
  return inner;
}

function joined(kind: 'and' | 'or', parts: readonly Expression[]): Expression {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind, of: parts };
}

/** One check: `@`, `!`, or `kind:match`, split at the first colon. */
function parseCheck(text: string, position: number): Expression {
  if (text === '@') return { kind: 'constant', value: true };
  if (text === '!') return { kind: 'constant', value: false };
  const colon = text.indexOf(':');
  if (colon < 1 || /^(['"]).*\1$/s.test(text))
    throw new PolicySyntaxError(`${JSON.stringify(text)} is no check: kind:match is expected`, position);
  const kind = text.slice(0, colon);
  const match = text.slice(colon + 1);
  const place = position + colon + 1;
  switch (kind) {
    case 'rule':
      return { kind, name: match };
    case 'role':
      return { kind, name: parseTemplate(match, place) };
    case 'http':
    case 'https':
      return { kind: 'remote', url: parseTemplate(text, position) };
    default:
      return { kind: 'equals', left: parseLeft(kind), right: parseTemplate(match, place) };
  }
}

/** The constants of Python that the original reads on the left side; their string form is what is compared. */
const PYTHON_CONSTANTS = new Set(['True', 'False', 'None']);

function parseLeft(text: string): Left {
  const quotedText = /^(['"])(.*)\1$/s.exec(text)?.[2];
  if (quotedText !== undefined) return { literal: quotedText };
  if (PYTHON_CONSTANTS.has(text) || /^-?\d+(\.\d+)?$/.test(text)) return { literal: text };
  return { credential: text.split('.') };
}

function parseTemplate(text: string, position: number): Template {
  const literals: string[] = [''];
  const keys: string[] = [];
  const add = (literal: string) => {
    literals[literals.length - 1] += literal;
  };
  for (const { 0: piece, index, groups } of text.matchAll(/%(?:\((?<key>[^)]*)\)s|%)?|[^%]+/g)) {
    if (groups?.['key'] !== undefined) {
      keys.push(groups['key']);
      literals.push('');
    } else if (piece === '%') {
      throw new PolicySyntaxError('"%" must be followed by "(name)s", or doubled', position + index);
    } else add(piece === '%%' ? '%' : piece);
  }
  return { literals, keys };
}

const quoted = ({ text }: Token): string => JSON.stringify(text);
