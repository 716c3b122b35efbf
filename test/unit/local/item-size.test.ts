import { expect, it } from 'vitest';
import { itemBytes } from '../../../local/dynamodb/strict/item-size.ts';

/** DynamoDB Developer Guide, "DynamoDB item sizes and formats". */
it.each([
  ['an attribute name and a string', { name: { S: 'abc' } }, 4 + 3],
  ['names and strings in UTF-8', { ü: { S: 'für' } }, 2 + 4],
  ['an empty string', { a: { S: '' } }, 1],
  ['one byte for two digits, and one', { n: { N: '123456' } }, 1 + 3 + 1],
  ['an odd number of digits', { n: { N: '12345' } }, 1 + 3 + 1],
  ['zeros before and after do not count', { n: { N: '0012300' } }, 1 + 2 + 1],
  ['a fraction', { n: { N: '0.00125' } }, 1 + 2 + 1],
  ['an exponent adds nothing', { n: { N: '1.5e20' } }, 1 + 1 + 1],
  ['a sign', { n: { N: '-12' } }, 1 + 1 + 1 + 1],
  ['zero', { n: { N: '0' } }, 1 + 1],
  ['bytes, not their text', { b: { B: Buffer.alloc(30).toString('base64') } }, 1 + 30],
  ['true', { a: { BOOL: true } }, 1 + 1],
  ['null', { a: { NULL: true } }, 1 + 1],
  ['a set of strings', { s: { SS: ['ab', 'c'] } }, 1 + 3],
  ['a set of numbers', { s: { NS: ['1', '22'] } }, 1 + 2 + 2],
  ['a set of bytes', { s: { BS: [Buffer.alloc(4).toString('base64')] } }, 1 + 4],
  ['an empty list', { l: { L: [] } }, 1 + 3],
  ['a list: three, and one for each element', { l: { L: [{ S: 'ab' }, { BOOL: false }] } }, 1 + 3 + (1 + 2) + (1 + 1)],
  ['a map: three, and one for each pair', { m: { M: { ab: { S: 'xyz' } } } }, 1 + 3 + (1 + 2 + 3)],
  ['a map in a list', { l: { L: [{ M: {} }] } }, 1 + 3 + 1 + 3],
  ['several attributes', { pk: { S: 'a' }, sk: { S: 'b' } }, 6],
])('%s', (_, item, bytes) => {
  expect(itemBytes(item)).toBe(bytes);
});
