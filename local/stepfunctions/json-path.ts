import { isObject, type Json, type JsonObject } from '../wire/json.ts';
import { StateError } from './state-error.ts';

/** One step of a path: a member or index, a wildcard, a slice, a union, or "any depth below". */
type Step =
  | { kind: 'child'; name: string | number }
  | { kind: 'all' }
  | { kind: 'slice'; from: number | undefined; to: number | undefined }
  | { kind: 'union'; names: (string | number)[] }
  | { kind: 'descend' };

interface Path {
  steps: Step[];
  /** True when the path can name one place only: its value is the value, not a list of matches. */
  isReference: boolean;
}

const parsed = new Map<string, Path>();

const TOKEN =
  /\.\.|\.?\*|\.([\p{L}_$][\p{L}\p{N}_$-]*)|\[\*\]|\[(-?\d+)\]|\[(-?\d*):(-?\d*)\]|\[((?:'[^']*'|"[^"]*"|-?\d+)(?:\s*,\s*(?:'[^']*'|"[^"]*"|-?\d+))*)\]|([\p{L}_][\p{L}\p{N}_-]*)/uy;

/**
 * Parses a JSONPath: members, indexes, wildcards, slices, unions and `..`. Filters are not supported. Throws `States.Runtime`
 * for anything else, so that a definition with such a path is refused when it is created.
 */
export function parsePath(path: string): Path {
  const known = parsed.get(path);
  if (known !== undefined) return known;
  if (!path.startsWith('$')) throw new StateError('States.Runtime', `'${path}' is not a JSONPath`);
  const steps: Step[] = [];
  TOKEN.lastIndex = 1;
  while (TOKEN.lastIndex < path.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(path);
    const bareName = match?.[6] !== undefined;
    if (match === null || (bareName && steps.at(-1)?.kind !== 'descend')) {
      throw new StateError('States.Runtime', `cannot read the JSONPath '${path}' at character ${at + 1}`);
    }
    steps.push(stepOf(match));
  }
  const result = { steps, isReference: steps.every((step) => step.kind === 'child') };
  parsed.set(path, result);
  return result;
}

function stepOf(match: RegExpExecArray): Step {
  const [text, member, index, from, to, list, bare] = match;
  if (text === '..') return { kind: 'descend' };
  if (member !== undefined || bare !== undefined) return { kind: 'child', name: member ?? bare ?? '' };
  if (index !== undefined) return { kind: 'child', name: Number(index) };
  if (from !== undefined) return { kind: 'slice', from: bound(from), to: bound(to) };
  if (list === undefined) return { kind: 'all' };
  const names = (list.match(/'[^']*'|"[^"]*"|-?\d+/g) ?? []).map((name) =>
    /^['"]/.test(name) ? name.slice(1, -1) : Number(name),
  );
  const only = names[0];
  return names.length === 1 && only !== undefined ? { kind: 'child', name: only } : { kind: 'union', names };
}

const bound = (text: string | undefined): number | undefined =>
  text === undefined || text === '' ? undefined : Number(text);

/**
 * The value at a path. A path that can match several places yields the list of matches. Undefined when nothing is there.
 */
export function findPath(path: string, document: Json): Json | undefined {
  const { steps, isReference } = parsePath(path);
  let matches: Json[] = [document];
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'descend' && index === steps.length - 1) break;
    matches = matches.flatMap((value) => take(step, value));
  }
  if (isReference) return matches[0];
  return matches;
}

/** A cause has at most 32,768 characters. */
const MAX_QUOTED = 30_000;

/** What AWS says when a path in a template's field leads nowhere. */
export function notFound(path: string, field: string, document: Json): StateError {
  const input = JSON.stringify(document).slice(0, MAX_QUOTED);
  const text = `The JSONPath '${path}' specified for the field '${field}' could not be found in the input '${input}'`;
  return new StateError('States.Runtime', text);
}

/** What AWS says when a field that is a path itself (InputPath, TimeoutSecondsPath, ...) leads nowhere. */
export function noResult(path: string, document: Json): StateError {
  const { steps } = parsePath(path);
  const brackets = (upTo: number) => `$${steps.slice(0, upTo).map(bracketed).join('')}`;
  let here: Json | undefined = document;
  for (const [index, step] of steps.slice(0, -1).entries()) {
    here = here === undefined ? undefined : take(step, here)[0];
    if (here === undefined) return invalidPath(path, `Missing property in path ${brackets(index + 1)}`);
  }
  return invalidPath(path, `No results for path: ${brackets(steps.length)}`);
}

const invalidPath = (path: string, text: string): StateError =>
  new StateError('States.Runtime', `Invalid path '${path}' : ${text}`);

const bracketed = (step: Step): string =>
  step.kind !== 'child' ? '[*]' : typeof step.name === 'number' ? `[${step.name}]` : `['${step.name}']`;

function take(step: Step, value: Json): Json[] {
  switch (step.kind) {
    case 'child':
      return child(step.name, value);
    case 'union':
      return step.names.flatMap((name) => child(name, value));
    case 'all':
      return children(value);
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to) : [];
    case 'descend':
      return [value, ...children(value).flatMap((inner) => take(step, inner))];
  }
}

function child(name: string | number, value: Json): Json[] {
  if (typeof name === 'number') {
    const item = Array.isArray(value) ? value.at(name) : undefined;
    return item === undefined ? [] : [item];
  }
  const member = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return member === undefined ? [] : [member];
}

const children = (value: Json): Json[] => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []);

/**
 * A copy of `document` with `value` at a reference path, making the objects on the way (ResultPath). Throws
 * `States.ResultPathMatchFailure` when the path leads through something that is not an object.
 */
export function writePath(path: string, document: Json, value: Json): Json {
  const { steps, isReference } = parsePath(path);
  if (!isReference) throw new StateError('States.Runtime', `'${path}' is not a reference path`);
  return place(steps, 0, document, value, path);
}

function place(steps: readonly Step[], depth: number, document: Json, value: Json, path: string): Json {
  const step = steps[depth];
  if (step === undefined || step.kind !== 'child') return value;
  if (typeof step.name === 'number') {
    if (!Array.isArray(document)) throw mismatch(path);
    return document.with(step.name, place(steps, depth + 1, document[step.name] ?? null, value, path));
  }
  if (!isObject(document)) throw mismatch(path);
  const inner = document[step.name];
  const last = depth === steps.length - 1;
  const next: Json = last || inner === undefined || inner === null ? {} : inner;
  const result: JsonObject = { ...document, [step.name]: place(steps, depth + 1, next, value, path) };
  return result;
}

const mismatch = (path: string): StateError =>
  new StateError('States.ResultPathMatchFailure', `Unable to apply the ReferencePath ${path} to the input`);
