import { createHash, randomInt, randomUUID } from 'node:crypto';
import { isObject, type Json } from '../wire/json.ts';
import { StateError } from './state-error.ts';

type Intrinsic = (args: Json[]) => Json;

const HASHES: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};
/** AWS refuses ranges and partitions that would make longer arrays. */
const MAX_RANGE = 1000;

const fail = (text: string): never => {
  throw new StateError('States.IntrinsicFailure', text);
};
const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : fail('expected an array'));
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : fail('expected a string'));
const number = (value: Json | undefined): number => (typeof value === 'number' ? value : fail('expected a number'));
/** Numbers of arithmetic are rounded first, halves up. */
const whole = (value: Json | undefined): number => Math.round(number(value));
const same = (a: Json | undefined, b: Json | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

function format(args: Json[]): string {
  const rest = args.slice(1);
  const filled = text(args[0]).replace(/\\([{}\\'])|\{\}/g, (found, escaped?: string) => {
    if (escaped !== undefined) return escaped;
    const value = rest.shift();
    if (value === undefined) return fail(`too few arguments for States.Format('${found}')`);
    return shown(value, true);
  });
  return rest.length === 0 ? filled : fail('too many arguments for States.Format');
}

/** How AWS writes a value into a text: objects and lists as its own language prints them. */
function shown(value: Json, isWhole = false): string {
  if (typeof value === 'string') return value;
  if (isObject(value))
    return `{${Object.entries(value)
      .map(([name, inner]) => `${name}=${shown(inner)}`)
      .join(', ')}}`;
  if (Array.isArray(value))
    return isWhole ? JSON.stringify(value) : `[${value.map((inner) => shown(inner)).join(', ')}]`;
  return JSON.stringify(value);
}

function range(args: Json[]): Json[] {
  const [start, end, step] = [number(args[0]), number(args[1]), number(args[2])];
  if (step === 0) fail('the step of States.ArrayRange is 0');
  const length = Math.max(0, Math.floor((end - start) / step) + 1);
  if (length > MAX_RANGE) fail(`States.ArrayRange makes at most ${MAX_RANGE} items`);
  return Array.from({ length }, (_, index) => start + index * step);
}

function partition(args: Json[]): Json[] {
  const [items, size] = [list(args[0]), number(args[1])];
  if (size <= 0) fail('the size of States.ArrayPartition is not positive');
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function random(args: Json[]): number {
  const [from, to] = [whole(args[0]), whole(args[1])];
  return to > from ? randomInt(from, to) : fail('States.MathRandom needs a start below its end');
}

const notJson = (cause: unknown): StateError =>
  new StateError('States.IntrinsicFailure', 'the argument of States.StringToJson is not JSON', { cause });

function parse(args: Json[]): Json {
  try {
    const source = text(args[0]);
    return source.trim() === '' ? null : (JSON.parse(source) as Json);
  } catch (error) {
    throw notJson(error);
  }
}

function merge(args: Json[]): Json {
  const [a, b] = args;
  if (args[2] === true) fail('States.JsonMerge supports shallow merging only');
  return isObject(a) && isObject(b) ? { ...a, ...b } : fail('States.JsonMerge takes two objects');
}

/** The intrinsic functions of Amazon States Language (AWS Step Functions Developer Guide, "Intrinsic functions"). */
export const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  'States.Format': format,
  'States.StringToJson': parse,
  'States.JsonToString': (args) => JSON.stringify(args[0]),
  'States.Array': (args) => args,
  'States.ArrayPartition': partition,
  'States.ArrayContains': (args) => list(args[0]).some((item) => same(item, args[1])),
  'States.ArrayRange': range,
  'States.ArrayGetItem': (args) => list(args[0])[number(args[1])] ?? fail('States.ArrayGetItem: no such index'),
  'States.ArrayLength': (args) => list(args[0]).length,
  'States.ArrayUnique': (args) => [...new Map(list(args[0]).map((item) => [JSON.stringify(item), item])).values()],
  'States.Base64Encode': (args) => Buffer.from(text(args[0])).toString('base64'),
  'States.Base64Decode': (args) => Buffer.from(text(args[0]), 'base64').toString('utf8'),
  'States.Hash': (args) =>
    createHash(HASHES[text(args[1])] ?? fail('unknown hash'))
      .update(typeof args[0] === 'string' ? args[0] : JSON.stringify(args[0]))
      .digest('hex'),
  'States.JsonMerge': merge,
  'States.MathRandom': random,
  'States.MathAdd': (args) => whole(args[0]) + whole(args[1]),
  'States.StringSplit': (args) => splitAny(text(args[0]), text(args[1])),
  'States.UUID': () => randomUUID(),
};

function splitAny(value: string, separators: string): string[] {
  const parts: string[] = [''];
  for (const character of value) {
    if (separators.includes(character)) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.filter((part) => part !== '');
}
