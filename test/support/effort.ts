/** How much work something is, whatever the pace of the machine and whoever else uses it. */
import { createHash } from 'node:crypto';

const REFERENCE = new Uint8Array(4 * 1024 * 1024);
/** How long a measured reference holds, in milliseconds: a property test asks hundreds of times within a second. */
const HOLDS_MS = 1000;
let known = { ms: 0, until: 0 };

/**
 * Processor time of this process while `run` runs, as a multiple of what SHA-512 of 4 MiB takes here: about 10 ms on a machine of 2025.
 * Other threads of this process count as well.
 */
export async function effortOf(run: () => unknown): Promise<number> {
  const reference = referenceMs();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / reference;
}

function referenceMs(): number {
  if (performance.now() > known.until) {
    const ms = Math.min(...Array.from({ length: 3 }, () => processorMs(hashReference)));
    known = { ms, until: performance.now() + HOLDS_MS };
  }
  return known.ms;
}

function processorMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function hashReference(): void {
  createHash('sha512').update(REFERENCE).digest();
}
