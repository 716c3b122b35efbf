import { Command, CommanderError } from 'commander';
import { FormatError } from '../formats/engine/errors.ts';
import type { Register } from './commands/register.ts';
import { complain, EXIT, type ExitCode, reason, UsageError } from './exit.ts';

/** By name, in the order of the help. The one that is named loads nothing of the others: half of a short command is loading. */
const COMMANDS: ReadonlyMap<string, () => Promise<Register>> = new Map([
  ['inspect', async () => (await import('./commands/inspect.ts')).inspectCommand],
  ['convert', async () => (await import('./commands/convert.ts')).convertCommand],
  ['map', async () => (await import('./commands/map.ts')).mapCommand],
  ['metadefs', async () => (await import('./commands/metadefs.ts')).metadefsCommand],
  ['imports', async () => (await import('./commands/imports.ts')).importsCommand],
  ['image', async () => (await import('./commands/image-lint.ts')).imageLintCommand],
]);

/** What a command line may need: the command that it begins with, all of them for help and for what is none. */
async function commandsFor([first = '']: readonly string[]): Promise<readonly Register[]> {
  const named = COMMANDS.get(first);
  return Promise.all(named === undefined ? [...COMMANDS.values()].map((load) => load()) : [named()]);
}

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
  for (const register of await commandsFor(argv)) {
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
