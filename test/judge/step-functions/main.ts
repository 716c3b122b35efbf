import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge, Judgement } from '../judge.ts';
import { isOffered, judge, type Verdict } from './judge.ts';
import { isWhole } from './placeholders.ts';
import { readRecords } from './records.ts';

const FOLDER = process.env['GLIMPSE_ASL_TRUTH'] ?? join(import.meta.dirname, '../../../../shared/asl-truth');
const AT_ONCE = 8;
/** Below this share of equal records the interpreter is not AWS's, whatever the reasons. */
const LEAST_EQUAL = 0.98;

/** What AWS really answered (LocalStack's recorded tests) judges the interpreter of state machines. */
export const stepFunctions: Judge = {
  name: "Step Functions against AWS's recorded histories",
  folders: ['local/stepfunctions'],
  missing: () =>
    existsSync(join(FOLDER, 'v2'))
      ? undefined
      : 'put the folders v2 and templates of its recorded Step Functions tests into a folder and name it in GLIMPSE_ASL_TRUTH',
  run,
};

async function run(): Promise<Judgement> {
  const { executions, withoutDefinition } = readRecords(FOLDER);
  const offered = executions.filter(isOffered);
  const picked = offered.filter(({ input }) => isWhole(input));
  const verdicts: Verdict[] = [];
  const queue = picked.values();
  const worker = async () => {
    for (const record of queue) verdicts.push(await judge(record));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const known = JSON.parse(readFileSync(join(import.meta.dirname, 'known-differences.json'), 'utf8')) as Record<
    string,
    string
  >;
  const different = verdicts.filter(({ difference }) => difference !== undefined);
  const equal = verdicts.length - different.length;
  const stale = Object.keys(known).filter((name) => !different.some((verdict) => verdict.name === name));
  return {
    counts: {
      recorded: executions.length + withoutDefinition.length,
      'definition not recorded': withoutDefinition.length,
      'needs what the interpreter does not have': executions.length - offered.length,
      'input lost a moment': offered.length - picked.length,
      picked: picked.length,
      equal,
    },
    failures: [
      ...different
        .filter(({ name }) => known[name] === undefined)
        .map(({ name, difference }) => `${name}: ${difference}`),
      ...stale.map((name) => `${name} is listed as different and is equal`),
      ...(equal < LEAST_EQUAL * picked.length ? [`${equal} of ${picked.length} equal is below ${LEAST_EQUAL}`] : []),
    ],
    accepted: different.flatMap(({ name }) => (known[name] === undefined ? [] : [`${name}: ${known[name]}`])),
  };
}
