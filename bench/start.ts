/**
 * From `npm start` to ready, each time with a data directory of its own: `node bench/start.ts [--repeat 5]`. Ready is the greeting and
 * a health check that says so. Prints each start and the median, and what all processes hold then.
 */
import { parseArgs } from 'node:util';
import { startGlimpse } from '../test/support/glimpse.ts';
import { treeBytes } from './memory.ts';
import { median } from './openstack.ts';

const MIB = 1024 * 1024;
const { values } = parseArgs({ options: { repeat: { type: 'string', default: '5' } } });

const starts: number[] = [];
const resident: number[] = [];
for (let n = 0; n < Number(values.repeat); n++) {
  const begun = performance.now();
  const glimpse = await startGlimpse();
  const { status } = await fetch(`${glimpse.url}/healthcheck`);
  if (status !== 200) throw new Error(`the service greets, and its health check answers ${status}`);
  starts.push((performance.now() - begun) / 1000);
  resident.push((await treeBytes(glimpse.pid)) / MIB);
  await glimpse.stop();
}
console.log(`starts            ${starts.map((s) => s.toFixed(2)).join(' ')} s`);
console.log(`median            ${median(starts).toFixed(2)} s`);
console.log(`resident, ready   ${median(resident).toFixed(0)} MiB`);
