import { spawnSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { bashCompletion } from '../../../cli/completion/bash.ts';
import { fishCompletion } from '../../../cli/completion/fish.ts';
import { type CommandTree, treeOf } from '../../../cli/completion/tree.ts';
import { zshCompletion } from '../../../cli/completion/zsh.ts';
import { programFor } from '../../../cli/program.ts';

let tree: CommandTree;
beforeAll(async () => {
  tree = treeOf(await programFor([], () => undefined));
});

/** What bash offers for these words, of which the last is being typed. */
function offered(...words: readonly string[]): string[] {
  const list = ['glimpse', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${bashCompletion(tree)}
COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _glimpse; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: '/' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter(Boolean);
}

test('bash offers commands, their commands, their options and the values of those', () => {
  expect(offered('li')).toEqual(['list']);
  expect(offered('imports', 'can')).toEqual(['cancel']);
  expect(offered('imports', 'list', '--im')).toEqual(['--image']);
  expect(offered('convert', '--sub')).toEqual(['--subformat']);
  expect(offered('convert', '-O', 'qc')).toEqual(['qcow2']);
  expect(offered('inspect', '/et')).toEqual(['/etc']);
});

/** Runs a shell's parser over a script, where the shell is there. */
function parses(shell: string, script: string): void {
  const { error, stderr, status } = spawnSync(shell, ['-n'], { input: script, encoding: 'utf8' });
  if (error !== undefined) process.stdout.write(`${shell} is not installed: its script is not parsed\n`);
  else expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
}

test('zsh and fish are told every command and option', () => {
  const zsh = zshCompletion(tree);
  const fish = fishCompletion(tree);

  parses('zsh', zsh);
  parses('fish', fish);
  expect(zsh).toContain('_glimpse_imports_list() {');
  expect(zsh).toContain("'--cluster-size[");
  expect(fish).toContain("complete -c glimpse -f -n 'not __fish_seen_subcommand_from");
  expect(fish).toMatch(/complete -c glimpse -n '__fish_seen_subcommand_from convert' -s O -l output -x -a 'raw qcow2/);
});
