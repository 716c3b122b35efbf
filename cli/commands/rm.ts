import { complain, EXIT, type ExitCode, reason } from '../exit.ts';
import { findImage } from '../images/find.ts';
import { writeJson, writeLine } from '../output.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

/** `glimpse rm`: exit 0 when all are gone, 1 when one could not be deleted. */
export const rmCommand: Register = (program, done) => {
  onService(program.command('rm').description('delete images'), 'one JSON object per image that is gone')
    .argument('<image...>', 'ids or names')
    .action(async (named: string[], options: ServiceOptions) => {
      const { client } = await serviceOf(options);
      let code: ExitCode = EXIT.ok;
      for (const which of named) {
        try {
          const { id, name } = await findImage(client, which);
          await client.deleteImage({ params: { id } });
          if (options.json === true) writeJson({ id, name, status: 'deleted' });
          else writeLine(`${id}  ${name ?? ''}  deleted`);
        } catch (error) {
          complain(`${which}: ${reason(error)}`);
          code = EXIT.io;
        }
      }
      done(code);
    });
};
