import type { Finding } from '../../api/metadefs/image-lint.ts';
import { EXIT } from '../exit.ts';
import { printable, printableJson } from '../printable.ts';
import type { Register } from './register.ts';

/** `glimpse image lint`: exit 0 when there is nothing to say, 3 when there is, 1 when the service could not be asked. */
export const imageLintCommand: Register = (program, done) => {
  const image =
    program.commands.find((command) => command.name() === 'image') ??
    program.command('image').description('images of the service that OS_* variables name');
  image
    .command('lint')
    .description("check an image's properties against the metadata definitions: unknown values, likely typos")
    .argument('<image>', 'id or name')
    .option('--json', 'one JSON object per finding and line')
    .action(async (which: string, { json }: { readonly json?: boolean }) => {
      const [{ findingsOf }, { openSession }] = await Promise.all([
        import('../metadefs/lint.ts'),
        import('../session.ts'),
      ]);
      const findings = await findingsOf(await openSession(process.env), which);
      for (const finding of findings)
        process.stdout.write(`${json === true ? printableJson(finding) : printable(line(finding))}\n`);
      done(findings.length === 0 ? EXIT.ok : EXIT.refused);
    });
};

function line({ message, suggestion }: Finding): string {
  return suggestion === undefined ? message : `${message}. Did you mean ${suggestion}?`;
}
