import { LineCounter, parseDocument } from 'yaml';
import { type Expression, PolicySyntaxError } from './expression.ts';
import { parseListRule, parseRule } from './parse.ts';

/** A policy that cannot be used; the message names the file, the rule and the place. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

/**
 * Reads an operator's policy file: YAML (JSON is YAML), a map from rule names to rules.
 * @param file its name, for messages.
 * @throws PolicyError
 */
export function parsePolicyFile(text: string, file: string): Map<string, Expression> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new PolicyError(`${file}:${line}:${col}: ${problem.message.split('\n')[0]}`, { cause: problem });
  }
  // Aliases are not expanded without bound: the library counts them.
  const content: unknown = document.toJS();
  if (content === null || content === undefined) return new Map();
  if (typeof content !== 'object' || Array.isArray(content))
    throw new PolicyError(`${file}: a map from rule names to rules is expected`);
  return new Map(Object.entries(content).map(([name, rule]) => [name, readRule(name, rule, file)]));
}

/** @throws PolicyError */
function readRule(name: string, rule: unknown, file: string): Expression {
  try {
    if (typeof rule === 'string') return parseRule(rule);
    if (Array.isArray(rule)) return parseListRule(rule);
  } catch (error) {
    if (!(error instanceof PolicySyntaxError)) throw error;
    throw new PolicyError(`${file}: rule "${name}", position ${error.position}: ${error.message}`, { cause: error });
  }
  throw new PolicyError(`${file}: rule "${name}": a text or a list is expected`);
}
