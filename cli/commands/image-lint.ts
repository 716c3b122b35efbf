import { EXIT } from '../exit.ts';
import type { ImageFinding } from '../metadefs/lint.ts';
import { printable, printableJson } from '../printable.ts';
import type { Register } from './register.ts';

/** `glimpse image lint`: exit 0 when there is nothing to mend, 3 when there is, 1 when the service could not be asked. */
export const imageLintCommand: Register = (program, done) => {
  const image =
    program.commands.find((command) => command.name() === 'image') ??
    program.command('image').description('images of the service that OS_* variables name');
  image
    .command('lint')
    .description(
      "check an image's properties against the metadata definitions: unknown values, likely typos, names of one's own; kernels and ramdisks that are gone, or that others boot with",
    )
    .argument('[image]', 'id or name; without it every image that the list shows')
    .option('--json', 'one JSON object per finding and line')
    .action(async (which: string | undefined, { json }: { readonly json?: boolean }) => {
      const [{ findingsOf, findingsOfAll, isNote }, { openSession }] = await Promise.all([
        import('../metadefs/lint.ts'),
        import('../login/session.ts'),
      ]);
      const session = await openSession(process.env);
      const findings = await (which === undefined ? findingsOfAll(session) : findingsOf(session, which));
      for (const finding of findings)
        process.stdout.write(
          `${json === true ? printableJson(finding) : printable(line(finding, which === undefined))}\n`,
        );
      done(findings.every(isNote) ? EXIT.ok : EXIT.refused);
    });
};

function line(finding: ImageFinding, isNamed: boolean): string {
  const asked = 'suggestion' in finding ? `. Did you mean ${finding.suggestion}?` : '';
  return `${isNamed ? `${finding.image}: ` : ''}${finding.message}${asked}`;
}
