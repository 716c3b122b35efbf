/** `npm run docs:cli`: the commands, their arguments and options, from the command line itself into docs/cli.md; and as a manual page for the package. */
import { type CommandTree, treeOf, withChildren } from '../cli/completion/tree.ts';
import { programFor } from '../cli/program.ts';
import { code, markdownTable, type PrintedSection, printSections } from './printed-section.ts';

export async function cliTree(): Promise<CommandTree> {
  return treeOf(await programFor([], () => undefined));
}

/** Commands that do something themselves. */
const leaves = (tree: CommandTree): readonly CommandTree[] =>
  withChildren(tree).filter(({ commands }) => commands.length === 0);

const headline = ({ path, usage }: CommandTree): string =>
  ['glimpse', ...path, '[options]', usage].filter(Boolean).join(' ');

export async function cliSections(): Promise<PrintedSection[]> {
  const text = leaves(await cliTree()).map((command) => {
    const rows = [
      ...command.arguments
        .filter(({ description }) => description)
        .map(({ name, description }) => [code(name), description]),
      ...command.options.map(({ flags, description }) => [code(flags), description]),
    ];
    const table = rows.length === 0 ? [] : [markdownTable(['', ''], rows)];
    return [`### ${code(headline(command))}`, `${command.description}.`, ...table].join('\n\n');
  });
  return [{ page: 'docs/cli.md', name: 'commands', text: text.join('\n\n') }];
}

const EXITS = [
  ['0', 'done'],
  ['1', 'something could not be read, written or reached; an upload or a download goes on with the same command'],
  ['2', 'the command line is wrong, or it is not said who logs in'],
  ['3', 'an image is refused, or an import failed'],
] as const;

/** troff, for man(1). */
export function manualPage(tree: CommandTree): string {
  const commands = leaves(tree).flatMap((command) => [
    `.SS "${roff(headline(command))}"`,
    roff(`${command.description}.`),
    ...command.options.flatMap(({ flags, description }) => ['.TP', `\\fB${roff(flags)}\\fR`, roff(description)]),
  ]);
  const exits = EXITS.flatMap(([number, meaning]) => ['.TP', number, roff(meaning)]);
  return `${[
    '.TH GLIMPSE 1',
    '.SH NAME',
    'glimpse \\- disk images, on this machine and in an image service',
    '.SH SYNOPSIS',
    '.B glimpse',
    '.I command',
    '[options]',
    '.SH DESCRIPTION',
    roff(tree.description),
    '.SH COMMANDS',
    ...commands,
    '.SH "EXIT STATUS"',
    ...exits,
    '.SH ENVIRONMENT',
    '.TP',
    'OS_CLOUD, OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, ...',
    'Who logs in where, as of the other OpenStack clients.',
    '.TP',
    'GLIMPSE_CACHE',
    'Folder of tokens and of the state of uploads (default: ~/.cache/glimpse).',
  ].join('\n')}\n`;
}

/** Text of which no character is an order to troff. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll('…', '...')
    .replace(/^([.'])/, '\\&$1');

if (import.meta.main) await printSections(await cliSections());
