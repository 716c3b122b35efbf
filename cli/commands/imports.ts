import type { Command } from 'commander';
import type { ImportAnswer } from '../../api/imports/answers.ts';
import { EXIT } from '../exit.ts';
import { leftoverLine, leftovers } from '../imports/leftovers.ts';
import { importLine } from '../imports/line.ts';
import { countArgument } from '../options.ts';
import { printable, printableJson } from '../printable.ts';
import type { Register } from './register.ts';

interface Output {
  readonly json?: boolean;
}

/** Loaded when it is asked for: the schemas of the API would add a third to the start of every other command. */
const openSession = async () => (await import('../login/session.ts')).openSession(process.env);

/** `glimpse imports`: what is imported, its end, and another try. Exit 0, 1 when the service could not be asked or said no. */
export const importsCommand: Register = (program, done) => {
  const imports = program.command('imports').description('imports of the service that OS_* variables name');
  withOutput(imports.command('list').description('imports of the project, the newest first'))
    .option('--image <id>', 'of one image')
    .option('--status <status>', 'pending, processing, success or failure')
    .action(async ({ image, status, json }: Output & { readonly image?: string; readonly status?: string }) => {
      const query = { ...(image !== undefined && { image_id: image }), ...(status !== undefined && { status }) };
      const { imports: found } = await (await openSession()).listImports({ query });
      for (const one of found) print(one, json);
      done(EXIT.ok);
    });
  for (const [name, description] of Object.entries(VERBS)) {
    withOutput(imports.command(name).description(description))
      .argument('<task>', 'id of an import: os_glance_import_task of its image')
      .action(async (task: string, { json }: Output) => {
        const client = await openSession();
        const call = { show: client.showImport, cancel: client.cancelImport, retry: client.retryImport };
        print(await call[name as keyof typeof VERBS]({ params: { task } }), json);
        done(EXIT.ok);
      });
  }
  withOutput(imports.command('leftovers').description('images that stay queued without bytes; for administrators'))
    .option('--hours <n>', 'for so many hours (default: queued_image_ttl, else 24)', countArgument)
    .action(async ({ hours, json }: Output & { readonly hours?: number }) => {
      const client = await openSession();
      for await (const image of leftovers(client, hours))
        process.stdout.write(`${json === true ? printableJson(image) : printable(leftoverLine(image))}\n`);
      done(EXIT.ok);
    });
};

const VERBS = {
  show: 'one import, and how far it is',
  cancel: 'end an import; what was staged for it is kept for an hour',
  retry: 'begin a cancelled import once more, as another one',
} as const;

const withOutput = (command: Command): Command => command.option('--json', 'one JSON object per import and line');

function print(one: ImportAnswer, json: boolean | undefined): void {
  process.stdout.write(`${json === true ? printableJson(one) : printable(importLine(one))}\n`);
}
