/** docs/judged.md says of each judge whether it spoke before or after the last change of what it judges. */
import { describe, expect, it } from 'vitest';
import { unwritten } from '../../judge/judged.ts';
import { judgement, type Verdict } from '../../judge/suite.ts';

it('docs/judged.md is of the folders as they are (npm run judge -- --write)', () => {
  expect(unwritten()).toEqual([]);
});

describe('what a suite says', () => {
  const verdict = (name: string, outcome: Verdict['outcome'], more: Partial<Verdict> = {}): Verdict => ({
    name,
    outcome,
    why: 'why',
    refused: [],
    ...more,
  });

  it('leaves nothing out: what is skipped, not offered, different for a reason and different without', () => {
    const verdicts = [
      verdict('equal', 'passed'),
      verdict('skipped', 'skipped', { why: 'needs streams' }),
      verdict('beyond', 'failed', { refused: ['GET ?acl'] }),
      verdict('kind::one', 'failed'),
      verdict('kind::two', 'failed'),
      verdict('wrong', 'failed', { why: 'first\nsecond' }),
    ];
    const { counts, failures, accepted } = judgement(verdicts, { 'have a reason': ['kind::*'] });

    expect(counts).toEqual({
      tests: 6,
      'skipped by the suite': 1,
      'ask for an operation that is not offered': 1,
      picked: 4,
      equal: 1,
      'differ for a reason': 2,
      'differ without a reason': 1,
    });
    expect(failures).toEqual(['wrong: first | second']);
    expect(accepted).toEqual(['1 skipped by the suite: needs streams', '1 ask for GET ?acl', '2 have a reason']);
  });

  it('knows a reason that explains nothing any more', () => {
    expect(judgement([verdict('a', 'passed')], { 'had a reason': ['a'] }).failures).toEqual([
      'a is listed as different and is not',
    ]);
    expect(judgement([verdict('a', 'passed')], { 'now and then it differs': ['a'] }).failures).toEqual([]);
  });
});
