import { findImage } from '../images/find.ts';
import { namesArgument } from './image-options.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

/** `glimpse copy`: exit 0 when the copies are there, 3 when one failed, 1 when the service could not be asked. */
export const copyCommand: Register = (program, done) => {
  onService(program.command('copy').description('copy an image to more stores'), 'the image as a JSON object')
    .argument('<image>', 'id or name')
    .requiredOption('--to <stores>', 'stores, by commas', namesArgument)
    .option('--no-wait', 'do not wait for the end of the copy')
    .action(
      async (which: string, options: ServiceOptions & { readonly to: readonly string[]; readonly wait: boolean }) => {
        const { client } = await serviceOf(options);
        const { settleImport } = await import('../imports/settle.ts');
        const { id } = await findImage(client, which);
        await client.importImage({ params: { id }, body: { method: { name: 'copy-image' }, stores: [...options.to] } });
        done(await settleImport(client, id, options));
      },
    );
};
