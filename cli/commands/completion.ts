import { Argument } from 'commander';
import { EXIT } from '../exit.ts';
import type { Register } from './register.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** `glimpse completion`: exit 0. */
export const completionCommand: Register = (program, done) => {
  program
    .command('completion')
    .description('print what makes a shell complete this command: source <(glimpse completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: (typeof SHELLS)[number]) => {
      const [{ treeOf }, { bashCompletion }, { zshCompletion }, { fishCompletion }] = await Promise.all([
        import('../completion/tree.ts'),
        import('../completion/bash.ts'),
        import('../completion/zsh.ts'),
        import('../completion/fish.ts'),
      ]);
      const print = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
      process.stdout.write(print[shell](treeOf(program)));
      done(EXIT.ok);
    });
};
