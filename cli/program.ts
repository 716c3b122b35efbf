/** The command line as commander knows it. */
import { Command } from 'commander';
import type { Register } from './commands/register.ts';

/** The command that speaks of all others. */
const OF_ALL = 'completion';

/** By name, in the order of the help. The one that is named loads nothing of the others: half of a short command is loading. */
const COMMANDS: ReadonlyMap<string, () => Promise<Register>> = new Map([
  ['upload', async () => (await import('./commands/upload.ts')).uploadCommand],
  ['download', async () => (await import('./commands/download.ts')).downloadCommand],
  ['import', async () => (await import('./commands/import-url.ts')).importUrlCommand],
  ['watch', async () => (await import('./commands/watch.ts')).watchCommand],
  ['list', async () => (await import('./commands/list.ts')).listCommand],
  ['show', async () => (await import('./commands/show.ts')).showCommand],
  ['copy', async () => (await import('./commands/copy.ts')).copyCommand],
  ['rm', async () => (await import('./commands/rm.ts')).rmCommand],
  ['stores', async () => (await import('./commands/stores.ts')).storesCommand],
  ['login', async () => (await import('./commands/login.ts')).loginCommand],
  ['inspect', async () => (await import('./commands/inspect.ts')).inspectCommand],
  ['convert', async () => (await import('./commands/convert.ts')).convertCommand],
  ['map', async () => (await import('./commands/map.ts')).mapCommand],
  ['metadefs', async () => (await import('./commands/metadefs.ts')).metadefsCommand],
  ['imports', async () => (await import('./commands/imports.ts')).importsCommand],
  ['image', async () => (await import('./commands/image-lint.ts')).imageLintCommand],
  [OF_ALL, async () => (await import('./commands/completion.ts')).completionCommand],
]);

/** What a command line may need: the command that it begins with, all of them for help and for what is none. */
async function commandsFor([first = '']: readonly string[]): Promise<readonly Register[]> {
  const named = first === OF_ALL ? undefined : COMMANDS.get(first);
  return Promise.all(named === undefined ? [...COMMANDS.values()].map((load) => load()) : [named()]);
}

/** A program with the commands that these arguments may need. @param done takes the exit code of the command that ran */
export async function programFor(argv: readonly string[], done: Parameters<Register>[1]): Promise<Command> {
  const program = new Command('glimpse')
    .description(
      'Disk images, on this machine and in an image service: looks at them, converts them, sends and fetches them.',
    )
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) })
    .showHelpAfterError('(glimpse --help shows what there is)');
  for (const register of await commandsFor(argv)) register(program, done);
  for (const command of program.commands) command.exitOverride();
  return program;
}
