import { printable } from './printable.ts';

/** Exit codes of every command. */
export const EXIT = { ok: 0, io: 1, usage: 2, refused: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A wrong call that the argument parser cannot see. Ends with EXIT.usage. */
export class UsageError extends Error {}

/** What an error says to a person, without a stack. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One line on standard error; standard output carries results only. */
export function complain(message: string): void {
  process.stderr.write(`glimpse: ${message.split('\n').map(printable).join('\n')}\n`);
}
