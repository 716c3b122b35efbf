import { describe, expect, it } from 'vitest';
import { linesOf, spread } from '../../../../scripts/mutation/changed.ts';

describe('linesOf', () => {
  it.each([
    ['a changed line', '+++ b/a.ts\n@@ -3 +4 @@ f()\n-x\n+y', ['a.ts:4']],
    ['several lines, and nothing of what went', '+++ b/a.ts\n@@ -1,2 +1,2 @@\n@@ -9 +8,0 @@', ['a.ts:1', 'a.ts:2']],
    ['a new file', '--- /dev/null\n+++ b/c/b.ts\n@@ -0,0 +1,3 @@', ['c/b.ts:1', 'c/b.ts:2', 'c/b.ts:3']],
    ['two files', '+++ b/a.ts\n@@ -1 +1 @@\n+++ b/b.ts\n@@ -7 +6 @@', ['a.ts:1', 'b.ts:6']],
    ['no difference', '', []],
  ])('tells the new numbers of %s', (_name, diff, expected) => {
    expect(linesOf(diff).map(({ file, line }) => `${file}:${line}`)).toEqual(expected);
  });
});

describe('spread', () => {
  it.each([
    [[1, 2, 3], 3, [1, 2, 3]],
    [[1, 2, 3, 4, 5, 6], 3, [1, 3, 5]],
    [[1, 2, 3], 2, [1, 2]],
    [[], 2, []],
  ])('of %j takes at most %i, from all of it', (all, most, expected) => {
    expect(spread(all, most)).toEqual(expected);
  });
});
