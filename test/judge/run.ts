/**
 * `npm run judge [-- NAME…]`: runs the judges that are there, fetches nothing, and says what to put where for the others. With `--write` it
 * runs those whose folders changed since they spoke last (or those named), and writes what they said into docs/judged.md.
 */
import type { Judgement } from './judge.ts';
import { outdated, write } from './judged.ts';
import { JUDGES } from './judges.ts';

const args = process.argv.slice(2);
const isWriting = args.includes('--write');
const names = args.filter((arg) => arg !== '--write');
const unknown = names.filter((name) => !Object.hasOwn(JUDGES, name));
if (unknown.length > 0) {
  console.error(`no such judge: ${unknown.join(', ')}; there are ${Object.keys(JUDGES).join(', ')}`);
  process.exit(2);
}

const chosen = names.length > 0 ? names : isWriting ? outdated() : Object.keys(JUDGES);
const judgements: Record<string, Judgement> = {};
let failed = 0;
for (const [key, judge] of Object.entries(JUDGES)) {
  if (!chosen.includes(key)) continue;
  console.log(`\n${judge.name}`);
  const missing = judge.missing();
  if (missing !== undefined) {
    console.log(`  not run: ${missing}`);
    continue;
  }
  const judgement = await judge.run();
  const { counts, failures, accepted } = judgement;
  judgements[key] = judgement;
  for (const [what, count] of Object.entries(counts)) console.log(`  ${String(count).padStart(6)}  ${what}`);
  for (const line of accepted) console.log(`  differs: ${line}`);
  for (const line of failures) console.log(`  WRONG: ${line}`);
  failed += failures.length;
}
if (isWriting) write(judgements);
process.exit(failed > 0 ? 1 : 0);
