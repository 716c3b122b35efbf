/**
 * `npm start`: the whole service on one machine. This process is front door, handlers and gateway; two children are the
 * embedded AWS (S3 with the AWS port; DynamoDB, Step Functions, Lambda and events). They end when this process ends.
 */
import { ConfigError } from '../core/config.ts';
import { startService } from './service.ts';
import { readSettings, UsageError } from './settings.ts';

/** Arenas of the C library's allocator: with one per thread, what worker threads freed would stay with them, some 150 MiB. */
const ARENAS = { MALLOC_ARENA_MAX: '2' };

/**
 * Image bytes pass as buffers outside the heap, yet count against it: with V8's defaults a gigabyte costs hundreds of full
 * collections of a heap that hardly changes. It may grow further between them, buffers included, so that the cheap collections of
 * the young generation, smaller than by default, free them: a download costs half the processor time.
 */
const V8_FLAGS = [
  '--max-semi-space-size=8',
  '--heap-growing-percent=600',
  '--external-memory-accounted-in-global-limit',
];

/** The allocator (and V8) read their settings when a process begins, so this one begins anew with them. Same process id; not on Windows. */
function withTunedMemory(): void {
  if (process.platform !== 'linux' || process.env['MALLOC_ARENA_MAX'] !== undefined) return;
  const args = ['--disable-warning=ExperimentalWarning', ...V8_FLAGS, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, [process.execPath, ...args], { ...definedEnvironment(), ...ARENAS });
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  const service = await startService(settings, { onFailure: fail });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      service.close().then(() => process.exit(0), fail);
    });
  }
  console.log(service.greeting);
}

/** One clear line and exit 1: no stack trace for what an operator can mend. */
function fail(error: unknown): never {
  if (error instanceof UsageError && error.exitCode === 0) {
    console.log(error.message);
    process.exit(0);
  }
  console.error(`glimpse: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(error instanceof UsageError ? error.exitCode : 1);
}

withTunedMemory();
main().catch((error: unknown) => {
  if (
    !(error instanceof Error) ||
    error instanceof ConfigError ||
    error instanceof UsageError ||
    process.env['GLIMPSE_DEBUG'] === undefined
  )
    fail(error);
  console.error(error);
  process.exit(1);
});
