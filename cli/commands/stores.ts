import { EXIT } from '../exit.ts';
import { tableLines, writeJson } from '../output.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

/** `glimpse stores`: exit 0, 1 when the service could not be asked. */
export const storesCommand: Register = (program, done) => {
  onService(
    program.command('stores').description('stores that images can be in'),
    'one JSON object per store and line',
  ).action(async (options: ServiceOptions) => {
    const { client } = await serviceOf(options);
    const { stores } = await client.showStoresInfo();
    if (options.json === true) for (const store of stores) writeJson(store);
    else {
      const rows = stores.map(({ id, description = '', default: isDefault }) => [
        id,
        isDefault ? 'default' : '',
        description,
      ]);
      process.stdout.write(`${tableLines(['ID', '', 'DESCRIPTION'], rows).join('\n')}\n`);
    }
    done(EXIT.ok);
  });
};
