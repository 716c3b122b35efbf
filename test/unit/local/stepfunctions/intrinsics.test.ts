/** The intrinsic functions, as AWS Step Functions Developer Guide, "Intrinsic functions", has them. */
import { describe, expect, it } from 'vitest';
import { INTRINSICS } from '../../../../local/stepfunctions/intrinsics.ts';
import type { Json } from '../../../../local/wire/json.ts';

const call = (name: string, ...args: Json[]): Json | undefined => INTRINSICS[`States.${name}`]?.(args);

describe('an intrinsic function', () => {
  it.each<[string, Json[], Json]>([
    ['Format', ['Hello, my name is {}.', 'Ann'], 'Hello, my name is Ann.'],
    ['Format', ['{} and {}', 1, { a: [true, null] }], '1 and {a=[true, null]}'],
    ['Format', ["\\{\\} {} \\\\ \\' \\x", 'a'], "{} a \\ ' \\x"],
    ['Format', ['nothing'], 'nothing'],
    ['StringToJson', ['{"a":[1]}'], { a: [1] }],
    ['JsonToString', [{ a: [1, 'b'] }], '{"a":[1,"b"]}'],
    ['Array', [1, 'a', null], [1, 'a', null]],
    ['ArrayPartition', [[1, 2, 3, 4, 5, 6, 7, 8, 9], 4], [[1, 2, 3, 4], [5, 6, 7, 8], [9]]],
    ['ArrayPartition', [[1, 2], 1], [[1], [2]]],
    ['ArrayPartition', [[], 4], []],
    ['ArrayContains', [[1, 2, { a: 1 }], { a: 1 }], true],
    ['ArrayContains', [[1, 2], '1'], false],
    ['ArrayRange', [1, 9, 2], [1, 3, 5, 7, 9]],
    ['ArrayRange', [1, 8, 2], [1, 3, 5, 7]],
    ['ArrayRange', [9, 1, -4], [9, 5, 1]],
    ['ArrayRange', [2, 1, 1], []],
    ['ArrayRange', [5, 1, 1], []],
    ['ArrayRange', [3, 3, 1], [3]],
    ['ArrayGetItem', [[1, 'b'], 1], 'b'],
    ['ArrayGetItem', [[0], 0], 0],
    ['ArrayLength', [[1, 2, 3]], 3],
    ['ArrayUnique', [[1, 2, 1, { a: 1 }, { a: 1 }, '1']], [1, 2, { a: 1 }, '1']],
    ['Base64Encode', ['Daten: ä'], 'RGF0ZW46IMOk'],
    ['Base64Decode', ['RGF0ZW46IMOk'], 'Daten: ä'],
    ['Hash', ['input data', 'MD5'], '812f45842bc6d66ee14572ce20db8e86'],
    ['Hash', ['input data', 'SHA-1'], 'aaff4a450a104cd177d28d18d74485e8cae074b7'],
    ['Hash', ['', 'SHA-256'], 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['Hash', [{}, 'SHA-256'], '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'],
    ['JsonMerge', [{ a: 1, b: { x: 1 } }, { b: { y: 2 }, c: 3 }, false], { a: 1, b: { y: 2 }, c: 3 }],
    ['MathAdd', [111, -1], 110],
    ['StringSplit', ['1,2,3', ','], ['1', '2', '3']],
    ['StringSplit', ['.a.+..b+c', '.+'], ['a', 'b', 'c']],
  ])('%s of %j is %j', (name, args, result) => {
    expect(call(name, ...args)).toEqual(result);
  });

  it.each([
    ['SHA-384', 96],
    ['SHA-512', 128],
  ])('%s has so many digits: %i', (algorithm, digits) => {
    expect(call('Hash', 'input data', algorithm)).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`, 'u'));
  });

  it('gives ranges of 1,000 items and no more', () => {
    expect(call('ArrayRange', 1, 1000, 1)).toHaveLength(1000);
  });

  it('draws a number from the first, without the last', () => {
    const drawn = Array.from({ length: 200 }, () => call('MathRandom', 5, 7));

    expect(new Set(drawn)).toEqual(new Set([5, 6]));
  });

  it('makes a UUID of version 4, another one each time', () => {
    const [a, b] = [call('UUID'), call('UUID')];

    expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
    expect(a).not.toBe(b);
  });

  it.each<[string, Json[], string]>([
    ['Format', ['{} {}', 'a'], "too few arguments for States.Format('{}')"],
    ['Format', ['{}', 'a', 'b'], 'too many arguments for States.Format'],
    ['Format', [1], 'expected a string'],
    ['StringToJson', ['{'], 'the argument of States.StringToJson is not JSON'],
    ['StringToJson', [1], 'the argument of States.StringToJson is not JSON'],
    ['ArrayPartition', ['abc', 1], 'expected an array'],
    ['ArrayPartition', [[1], 0], 'the size of States.ArrayPartition is not positive'],
    ['ArrayPartition', [[1], -1], 'the size of States.ArrayPartition is not positive'],
    ['ArrayRange', [1, 2, 0], 'the step of States.ArrayRange is 0'],
    ['ArrayRange', [1, 1001, 1], 'States.ArrayRange makes at most 1000 items'],
    ['ArrayRange', ['1', 2, 1], 'expected a number'],
    ['ArrayGetItem', [[1], 1], 'States.ArrayGetItem: no such index'],
    ['ArrayLength', [{}], 'expected an array'],
    ['Hash', ['a', 'SHA-3'], 'unknown hash'],
    ['JsonMerge', [{}, {}, true], 'States.JsonMerge supports shallow merging only'],
    ['JsonMerge', [{}, [], false], 'States.JsonMerge takes two objects'],
    ['JsonMerge', [[], {}, false], 'States.JsonMerge takes two objects'],
    ['MathAdd', [1, '1'], 'expected a number'],
    ['MathRandom', [2, 2], 'States.MathRandom needs a start below its end'],
    ['StringSplit', ['a', 1], 'expected a string'],
  ])('%s refuses %j: %s', (name, args, message) => {
    expect(() => call(name, ...args)).toThrow(
      expect.objectContaining({ error: 'States.IntrinsicFailure', causeText: message }),
    );
  });
});
