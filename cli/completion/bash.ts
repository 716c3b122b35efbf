import { type CommandTree, withChildren } from './tree.ts';

/** A function that finds the command in the words before the cursor, and offers its commands and options; else files. */
export function bashCompletion(tree: CommandTree): string {
  const all = withChildren(tree);
  const key = (path: readonly string[]): string => ['glimpse', ...path].join(' ');
  const paths = all.slice(1).map(({ path }) => `'${key(path)}'`);
  const words = all.map(({ path, commands, options }) => {
    const offered = [...commands.map((child) => child.path.at(-1)), ...options.map(({ long }) => long), '--help'];
    return `    '${key(path)}') words='${offered.join(' ')}' ;;`;
  });
  const choices = all.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .flatMap((option) => [option.short, option.long].flatMap((name) => (name ? [{ name, option }] : [])))
      .map(({ name, option }) => `    '${key(path)} ${name}') values='${option.choices.join(' ')}'; isvalue=1 ;;`),
  );
  return `# glimpse completion bash
_glimpse() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at=glimpse words= values= isvalue= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
      ${paths.join('|')}) at="$at $word" ;;
    esac
  done
  case "$at $prev" in
${choices.join('\n')}
  esac
  case "$at" in
${words.join('\n')}
  esac
  if [[ -n $isvalue ]]; then
    if [[ -n $values ]]; then COMPREPLY=($(compgen -W "$values" -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi
  elif [[ $cur == -* || $at == glimpse ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "\${words//--[^ ]*/}" -- "$cur") $(compgen -f -- "$cur"))
  fi
}
complete -o filenames -F _glimpse glimpse
`;
}
