import { type CommandTree, type OptionTree, withChildren } from './tree.ts';

/** A function per command: its options by `_arguments`, its commands by `_describe`. */
export function zshCompletion(tree: CommandTree): string {
  return `#compdef glimpse
# glimpse completion zsh
${withChildren(tree).map(functionOf).join('\n')}
if [ "$funcstack[1]" = "_glimpse" ]; then _glimpse "$@"; else compdef _glimpse glimpse; fi
`;
}

const nameOf = (path: readonly string[]): string => ['_glimpse', ...path].join('_').replaceAll('-', '_');

function functionOf({ path, options, commands, usage }: CommandTree): string {
  const specs = [...options.flatMap(specsOf), "'--help[show the help]'"];
  if (commands.length === 0) {
    const rest = usage === '' ? [] : ["'*:file:_files'"];
    return `${nameOf(path)}() {\n  _arguments ${[...specs, ...rest].join(' \\\n    ')}\n}`;
  }
  const described = commands.map((child) => quoted(`${child.path.at(-1)}:${plain(child.description)}`));
  const cases = commands.map((child) => `      ${child.path.at(-1)}) ${nameOf(child.path)} ;;`);
  return `${nameOf(path)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${specs.join(' ')} '1: :->command' '*:: :->rest'
  case $state in
    command) local -a commands=(${described.join(' ')}); _describe command commands ;;
    rest) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}`;
}

/** One spec for each name of an option. */
function specsOf({ short, long, description, takesValue, choices }: OptionTree): string[] {
  const values = choices.length > 0 ? `(${choices.join(' ')})` : '_files';
  const value = takesValue ? `:value:${values}` : '';
  return [short, long].flatMap((name) => (name ? [quoted(`${name}[${plain(description)}]${value}`)] : []));
}

/** Without what the specs of zsh give a meaning. */
const plain = (text: string): string =>
  text
    .replaceAll(/[[\]:]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
