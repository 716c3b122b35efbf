/**
 * `npm start`: the whole service on one machine. Begins anew with the settings of memory that a process can only read when it begins,
 * before anything else is loaded; then run.ts.
 */
import { fileURLToPath } from 'node:url';

/**
 * What a process reads when it begins. The C library's allocator: with an arena per thread, what worker threads freed would stay
 * with them, some 150 MiB; with its moving threshold, buffers of 16 MiB would come from arenas after the first one, and stay there.
 * Compiled sources: a thread that finds them needs no TypeScript stripper, 10 MiB each.
 */
const TUNED = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '1048576',
  MALLOC_TRIM_THRESHOLD_: '4194304',
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)),
};

/**
 * Image bytes pass as buffers outside the heap, yet count against it: with V8's defaults a gigabyte costs hundreds of full
 * collections of a heap that hardly changes. It may grow further between them, buffers included, so that the cheap collections of
 * the young generation free them: a download costs half the processor time. Threefold is enough for that; sevenfold was 250 MiB
 * of garbage under 250 clients. The smaller the young generation is, the sooner its collections come. Upload buffers are shared
 * memory, which goes with a full collection only: `bytes/buffer-budget.ts` asks for one.
 */
const V8_FLAGS = [
  '--max-semi-space-size=2',
  '--heap-growing-percent=200',
  '--external-memory-accounted-in-global-limit',
  '--expose-gc',
];

/** The allocator (and V8) read their settings when a process begins, so this one begins anew with them. Same process id; not on Windows. */
function withTunedMemory(): void {
  if (process.platform !== 'linux' || process.env['MALLOC_ARENA_MAX'] !== undefined) return;
  const args = ['--disable-warning=ExperimentalWarning', ...V8_FLAGS, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, [process.execPath, ...args], { ...TUNED, ...definedEnvironment() });
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

withTunedMemory();
await import('./run.ts');
