/** How a process of the embedded AWS talks to its parent, over the IPC channel of `child_process.fork`. */
import { collectWhenQuiet } from './quiet-collector.ts';

/** Where a child finds its options, as JSON, unless its first argument holds them. */
export const OPTIONS_VARIABLE = 'EMBEDDED_AWS_OPTIONS';

/** What a child tells its parent. */
export type ChildMessage = { type: 'ready'; port: number } | { type: 'failed'; message: string };

/** What a parent tells a child. */
export type ParentMessage = { type: 'close' } | { type: 'control'; port: number };

/** A service that a child process runs. */
export interface Service {
  port: number;
  close(): Promise<void>;
}

/**
 * Runs a service as a child: options come as JSON in the first argument or in the environment; `ready` or `failed` goes to the parent. The process
 * ends when the parent asks or disappears. SIGINT is left to the parent, which gets it from the terminal as well.
 */
export async function runChild<T>(start: (options: T) => Promise<Service>): Promise<void> {
  process.on('SIGINT', () => undefined);
  collectWhenQuiet();
  // The parent is gone, perhaps killed: nothing acknowledged is lost by ending at once.
  process.on('disconnect', () => process.exit(0));
  // Who is gone need not be told; without a callback that would be an uncaught error.
  const tell = (message: ChildMessage) => process.send?.(message, undefined, {}, () => undefined);
  try {
    const service = await start(JSON.parse(process.argv[2] ?? process.env[OPTIONS_VARIABLE] ?? '{}') as T);
    process.on('message', (message: ParentMessage) => {
      if (message.type === 'close') void service.close().finally(() => process.exit(0));
    });
    tell({ type: 'ready', port: service.port });
    if (process.send === undefined) process.stdout.write(`listening on http://127.0.0.1:${service.port}\n`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell({ type: 'failed', message });
    if (process.send === undefined) process.stderr.write(`${message}\n`); // else the parent says it
    process.exitCode = 1;
    process.disconnect?.();
    setTimeout(() => process.exit(1), 50);
  }
}
