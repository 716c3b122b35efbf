import { EXIT } from '../exit.ts';
import { imageLines } from '../images/view.ts';
import { writeJson, writeLine } from '../output.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

/** `glimpse show`: exit 0, 1 when there is no such image. */
export const showCommand: Register = (program, done) => {
  onService(program.command('show').description('one image'), 'the image as a JSON object')
    .argument('<image>', 'id or name')
    .action(async (which: string, options: ServiceOptions) => {
      const [{ client }, { findImage }] = await Promise.all([serviceOf(options), import('../images/find.ts')]);
      const image = await findImage(client, which);
      if (options.json === true) writeJson(image);
      else for (const line of imageLines(image)) writeLine(line);
      done(EXIT.ok);
    });
};
