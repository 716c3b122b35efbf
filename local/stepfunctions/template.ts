import { isObject, type Json, type JsonObject } from '../wire/json.ts';
import { INTRINSICS } from './intrinsics.ts';
import { findPath, noResult, notFound, parsePath } from './json-path.ts';
import { StateError } from './state-error.ts';

/** What paths read: `$` the state's input, `$$` the context object. */
export interface Scope {
  input: Json;
  context: JsonObject;
}

/**
 * The value of a path or an intrinsic function call. Throws a StateError when something is missing, with the words that AWS has for a
 * template's `field` or, without one, for a field that is a path itself.
 */
export function evaluate(expression: string, scope: Scope, field?: string): Json {
  if (!expression.startsWith('$')) return callOf(expression).run(scope);
  const found = find(expression, scope);
  if (found !== undefined) return found;
  const [path, document] = placed(expression, scope);
  if (field === undefined) throw noResult(path, document);
  throw notFound(expression, field, document);
}

/** The value of a path; undefined when nothing is there. */
export const find = (path: string, scope: Scope): Json | undefined => findPath(...placed(path, scope));

const placed = (path: string, scope: Scope): [path: string, document: Json] =>
  path.startsWith('$$') ? [path.slice(1), scope.context] : [path, scope.input];

/** Fills a payload template: every member whose name ends in `.$` is an expression (Amazon States Language, "Payload Template"). */
export function fill(template: Json, scope: Scope): Json {
  if (Array.isArray(template)) return template.map((item) => fill(item, scope));
  if (!isObject(template)) return template;
  const result: JsonObject = {};
  for (const [name, value] of Object.entries(template)) {
    if (name.endsWith('.$')) result[name.slice(0, -2)] = evaluate(String(value), scope, name);
    else result[name] = fill(value, scope);
  }
  return result;
}

/** Throws a StateError when a template holds an expression that cannot be read. */
export function checkTemplate(template: Json): void {
  if (Array.isArray(template)) template.forEach(checkTemplate);
  if (!isObject(template)) return;
  for (const [name, value] of Object.entries(template)) {
    if (name.endsWith('.$')) checkExpression(String(value));
    else checkTemplate(value);
  }
}

/** Throws a StateError when the text is neither a path nor a known function call. */
export function checkExpression(expression: string): void {
  if (expression.startsWith('$')) parsePath(expression.startsWith('$$') ? expression.slice(1) : expression);
  else callOf(expression);
}

interface Call {
  run(scope: Scope): Json;
}

const calls = new Map<string, Call>();

function callOf(expression: string): Call {
  const known = calls.get(expression);
  if (known !== undefined) return known;
  const reader = { text: expression, at: 0 };
  const call = readCall(reader);
  if (reader.at !== expression.length) throw unreadable(reader);
  calls.set(expression, call);
  return call;
}

interface Reader {
  text: string;
  at: number;
}

const unreadable = ({ text, at }: Reader): StateError =>
  new StateError('States.Runtime', `cannot read the expression '${text}' at character ${at + 1}`);

function readCall(reader: Reader): Call {
  const name = match(reader, /States\.\w+/y);
  const run = INTRINSICS[name];
  if (run === undefined) throw new StateError('States.Runtime', `there is no intrinsic function ${name}`);
  match(reader, /\s*\(\s*/y);
  const args: Call[] = [];
  while (reader.text[reader.at] !== ')') {
    if (args.length > 0) match(reader, /\s*,\s*/y);
    args.push(readArgument(reader));
    match(reader, /\s*/y);
  }
  reader.at++;
  return { run: (scope) => run(args.map((arg) => arg.run(scope))) };
}

function readArgument(reader: Reader): Call {
  const first = reader.text[reader.at];
  if (first === '$') {
    const path = match(reader, /\$(?:\[[^\]]*\]|[^\s,)[])*/y);
    checkExpression(path);
    return { run: (scope) => evaluate(path, scope) };
  }
  if (first === "'") {
    const raw = match(reader, /'(?:[^'\\]|\\.)*'/y).slice(1, -1);
    // States.Format needs the escapes of braces itself; a quote or backslash is the same in both.
    const value = raw.replace(/\\'/g, "'");
    return { run: () => value };
  }
  if (first === 'S') return readCall(reader);
  const literal = JSON.parse(match(reader, /true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y)) as Json;
  return { run: () => literal };
}

function match(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text);
  if (found === null) throw unreadable(reader);
  reader.at = pattern.lastIndex;
  return found[0];
}
