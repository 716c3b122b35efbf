import { Command, CommanderError } from 'commander';
import { FormatError } from '../formats/engine/errors.ts';
import { convertCommand } from './commands/convert.ts';
import { imageLintCommand } from './commands/image-lint.ts';
import { inspectCommand } from './commands/inspect.ts';
import { mapCommand } from './commands/map.ts';
import { metadefsCommand } from './commands/metadefs.ts';
import type { Register } from './commands/register.ts';
import { complain, EXIT, type ExitCode, reason, UsageError } from './exit.ts';

const COMMANDS: readonly Register[] = [inspectCommand, convertCommand, mapCommand, metadefsCommand, imageLintCommand];

/**
 * Runs one command line.
 * @param argv the arguments, without node and script
 * @returns the exit code (exit.ts)
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = new Command('glimpse')
    .description('Looks at disk images and converts them. No image gets to do more than be read.')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) })
    .showHelpAfterError('(glimpse --help shows what there is)');
  for (const register of COMMANDS) {
    register(program, (result) => {
      code = result;
    });
  }
  for (const command of program.commands) command.exitOverride();
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
