import type { Command } from 'commander';
import type { ExitCode } from '../exit.ts';

/** A command: declares its arguments on `program`; `done` takes the exit code of the one that ran. */
export type Register = (program: Command, done: (code: ExitCode) => void) => void;
