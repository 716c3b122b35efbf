/** `npm run judge [-- NAME…]`: runs the judges that are there, fetches nothing, and says what to put where for the others. */
import type { Judge } from './judge.ts';
import { stepFunctions } from './step-functions/main.ts';

const JUDGES: Readonly<Record<string, Judge>> = { 'step-functions': stepFunctions };

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(JUDGES, name));
if (unknown.length > 0) {
  console.error(`no such judge: ${unknown.join(', ')}; there are ${Object.keys(JUDGES).join(', ')}`);
  process.exit(2);
}

let failed = 0;
for (const [key, judge] of Object.entries(JUDGES)) {
  if (names.length > 0 && !names.includes(key)) continue;
  console.log(`\n${judge.name}`);
  const missing = judge.missing();
  if (missing !== undefined) {
    console.log(`  not run: ${missing}`);
    continue;
  }
  const { counts, failures, accepted } = await judge.run();
  for (const [what, count] of Object.entries(counts)) console.log(`  ${String(count).padStart(6)}  ${what}`);
  for (const line of accepted) console.log(`  differs: ${line}`);
  for (const line of failures) console.log(`  WRONG: ${line}`);
  failed += failures.length;
}
process.exit(failed > 0 ? 1 : 0);
