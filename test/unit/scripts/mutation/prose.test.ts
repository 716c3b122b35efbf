import { describe, expect, it } from 'vitest';
import { proseReason } from '../../../../scripts/mutation/prose.ts';

const template = (...raws: string[]) => ({ type: 'TemplateLiteral', quasis: raws.map((raw) => ({ value: { raw } })) });

describe('what is mutated', () => {
  it.each([
    ['a code', { type: 'StringLiteral', value: 'mbr_invalid' }],
    ['a key made of parts', template('images/', '/data')],
    ['a number', { type: 'NumericLiteral', value: 1 }],
  ])('%s', (_name, node) => {
    expect(proseReason(node)).toBeUndefined();
  });

  it.each([
    ['a sentence', { type: 'StringLiteral', value: 'no such file' }],
    ['a sentence with values in it', template('offset ', ' is behind ', '')],
  ])('but not %s', (_name, node) => {
    expect(proseReason(node)).toBe('a sentence for people');
  });
});
