import { EXIT } from '../exit.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

/** `glimpse watch`: exit 0 when what was watched ended well, 3 when one of them failed, 1 when the service could not be asked. */
export const watchCommand: Register = (program, done) => {
  onService(
    program
      .command('watch')
      .description('follow running imports until they end: all that you see, or the one of an image'),
    'one JSON object per import and change',
  )
    .argument('[image]', 'id or name')
    .option('--forever', 'wait for further imports, until it is interrupted')
    .action(async (which: string | undefined, options: ServiceOptions & { readonly forever?: boolean }) => {
      const [{ client }, { watchImports }, { findImage }] = await Promise.all([
        serviceOf(options),
        import('../imports/watch.ts'),
        import('../images/find.ts'),
      ]);
      const image = which === undefined ? undefined : (await findImage(client, which)).id;
      const allWell = await watchImports(client, {
        image,
        forever: options.forever === true,
        json: options.json === true,
      });
      done(allWell ? EXIT.ok : EXIT.refused);
    });
};
