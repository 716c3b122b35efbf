import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeSurvivor, printedScores, scoreOf } from '../../../../scripts/mutation/scores.ts';

const of = (...statuses: string[]) => scoreOf(statuses.map((status) => ({ status })));

describe('scoreOf', () => {
  it.each([
    [of('Killed', 'Survived'), { noticed: 1, counted: 2, score: 50 }],
    [of('Killed', 'Timeout', 'NoCoverage', 'Survived'), { noticed: 2, counted: 4, score: 50 }],
    [of('Killed', 'Ignored', 'CompileError', 'RuntimeError'), { noticed: 1, counted: 1, score: 100 }],
    [of(), { noticed: 0, counted: 0, score: 100 }],
  ])('%#: counts what was run', (score, expected) => {
    expect(score).toEqual(expected);
  });
});

describe('describeSurvivor', () => {
  const mutant = {
    fileName: join(process.cwd(), 'formats/x.ts'),
    mutatorName: 'BooleanLiteral',
    replacement: 'if (\n  a)',
    location: { start: { line: 3, column: 7 } },
  };

  it.each([
    ['Survived', 'formats/x.ts:3:7 survived: BooleanLiteral if ( a)'],
    ['NoCoverage', 'formats/x.ts:3:7 no test comes here: BooleanLiteral if ( a)'],
    ['Killed', undefined],
    ['Ignored', undefined],
  ])('%s', (status, line) => {
    expect(describeSurvivor({ ...mutant, status })).toBe(line);
  });
});

describe('printedScores', () => {
  it('reads the rows of the table back, without head and sum', () => {
    const page = [
      '| File | Mutants | Noticed | Score | Run on |',
      '| --- | --- | --- | --- | --- |',
      '| `formats/x/y.ts` | 143 | 139 | 97 % | 2026-11-30 |',
      '| `local/z.ts` | 2 | 0 | 0 % | 2026-12-01 |',
      '| all of these | 145 | 139 | 96 % |  |',
      '| `npm run mutate` | every folder |',
    ].join('\n');

    expect(printedScores(page)).toEqual({
      'formats/x/y.ts': { counted: 143, noticed: 139, date: '2026-11-30' },
      'local/z.ts': { counted: 2, noticed: 0, date: '2026-12-01' },
    });
  });

  it('finds nothing in a page without a table', () => {
    expect(printedScores('# Mutation runs\n')).toEqual({});
  });
});
