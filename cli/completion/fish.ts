import { type CommandTree, withChildren } from './tree.ts';

/** One `complete` per command and option, under the condition that its command stands before the cursor. */
export function fishCompletion(tree: CommandTree): string {
  const lines = withChildren(tree).flatMap(({ path, commands, options }) => {
    const names = commands.map((child) => child.path.at(-1) ?? '');
    const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
    const unseen = names.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names.join(' ')}`];
    const when = (conditions: readonly string[]): string =>
      conditions.length === 0 ? '' : ` -n ${quoted(conditions.join('; and '))}`;
    return [
      ...commands.map(
        (child, n) =>
          `complete -c glimpse -f${when([...seen, ...unseen])} -a ${names[n]} -d ${quoted(child.description)}`,
      ),
      ...options.map(({ short, long, description, takesValue, choices }) => {
        const name = `${short === undefined ? '' : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`;
        const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
        return `complete -c glimpse${when(seen)}${name}${value} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# glimpse completion fish\n${lines.join('\n')}\n`;
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
