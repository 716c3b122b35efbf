import { CommanderError } from 'commander';
import { FormatError } from '../formats/engine/errors.ts';
import { complain, EXIT, type ExitCode, reason, UsageError } from './exit.ts';
import { programFor } from './program.ts';

/**
 * Runs one command line.
 * @param argv the arguments, without node and script
 * @returns the exit code (exit.ts)
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  // Who reads a part of a list and leaves, as `head` does, wants no more of it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.io),
  );
  let code: ExitCode = EXIT.ok;
  const program = await programFor(argv, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): ExitCode {
  // The parser has already said what is wrong; --help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  complain(reason(error));
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof FormatError ? EXIT.refused : EXIT.io;
}
