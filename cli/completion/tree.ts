/** The commands as data: what completions, the manual page and docs/cli.md are printed from. */
import type { Argument, Command, Option } from 'commander';

export interface OptionTree {
  readonly short?: string;
  readonly long: string;
  /** As the help shows it: `-O, --output <format>`. */
  readonly flags: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

export interface CommandTree {
  /** From the program on: `['imports', 'list']`. */
  readonly path: readonly string[];
  readonly description: string;
  /** Arguments as the help shows them: `<file...>`. */
  readonly usage: string;
  readonly arguments: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionTree[];
  readonly commands: readonly CommandTree[];
}

export function treeOf(command: Command, path: readonly string[] = []): CommandTree {
  return {
    path,
    description: command.description(),
    usage: command.registeredArguments.map(usageOf).join(' '),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
    })),
    options: command.options.map(optionTree),
    commands: command.commands.map((child) => treeOf(child, [...path, child.name()])),
  };
}

/** A command and all below it, itself first. */
export const withChildren = (tree: CommandTree): readonly CommandTree[] => [
  tree,
  ...tree.commands.flatMap(withChildren),
];

function usageOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function optionTree(option: Option): OptionTree {
  return {
    ...(option.short && { short: option.short }),
    long: option.long ?? '',
    flags: option.flags,
    description: descriptionOf(option),
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}

/** With the choices and the default, as the help has them. */
function descriptionOf({ description, argChoices, defaultValue }: Option): string {
  const choices = argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`];
  const isShown = typeof defaultValue === 'string' || typeof defaultValue === 'number';
  const more = [...choices, ...(isShown ? [`default: ${defaultValue}`] : [])];
  return more.length === 0 ? description : `${description} (${more.join('; ')})`;
}
