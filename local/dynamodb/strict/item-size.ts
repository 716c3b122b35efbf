import { isObject, type Json, type JsonObject } from '../../wire/json.ts';

/** A list or a map has this many bytes of its own, and one more for each element. */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

/**
 * Size of an item in bytes: the names and the values of its attributes, names and strings in UTF-8. Source: Amazon DynamoDB Developer
 * Guide, "DynamoDB item sizes and formats".
 */
export function itemBytes(item: JsonObject): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

const SIZES: Readonly<Record<string, (value: Json) => number>> = {
  S: (value) => Buffer.byteLength(String(value)),
  N: (value) => numberBytes(String(value)),
  B: (value) => Buffer.byteLength(String(value), 'base64'),
  BOOL: () => 1,
  NULL: () => 1,
  SS: (value) => sum(value, (one) => Buffer.byteLength(String(one))),
  NS: (value) => sum(value, (one) => numberBytes(String(one))),
  BS: (value) => sum(value, (one) => Buffer.byteLength(String(one), 'base64')),
  L: (value) => CONTAINER_BYTES + sum(value, (one) => ELEMENT_BYTES + valueBytes(one)),
  M: (value) => CONTAINER_BYTES + (isObject(value) ? itemBytes(value) + ELEMENT_BYTES * Object.keys(value).length : 0),
};

/** Bytes of one attribute value as the wire has it, such as `{ S: 'text' }`. */
function valueBytes(value: Json): number {
  const [type, content] = isObject(value) ? (Object.entries(value)[0] ?? []) : [];
  return type === undefined ? 0 : (SIZES[type]?.(content ?? null) ?? 0);
}

/** One byte for each two significant digits, and one; zeros before and after do not count. Another one for a sign. */
function numberBytes(text: string): number {
  const [, sign, mantissa = ''] = /^(-?)([\d.]+)/.exec(text) ?? [];
  const significant = mantissa.replace('.', '').replace(/^0+/, '').replace(/0+$/, '');
  return Math.ceil(significant.length / 2) + 1 + (sign === '-' ? 1 : 0);
}

function sum(values: Json, bytesOf: (value: Json) => number): number {
  return Array.isArray(values) ? values.reduce<number>((total, value) => total + bytesOf(value), 0) : 0;
}
