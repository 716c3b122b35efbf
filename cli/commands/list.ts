import { EXIT } from '../exit.ts';
import { eachImage } from '../images/find.ts';
import { IMAGE_COLUMNS, imageRow } from '../images/view.ts';
import { countArgument } from '../options.ts';
import { tableLines, writeJson } from '../output.ts';
import { propertyArgument } from './image-options.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

interface Options extends ServiceOptions {
  readonly name?: string;
  readonly status?: string;
  readonly visibility?: string;
  readonly tag?: string;
  readonly property: Readonly<Record<string, string>>;
  readonly limit?: number;
}

/** `glimpse list`: exit 0, 1 when the service could not be asked. */
export const listCommand: Register = (program, done) => {
  onService(program.command('list').description('images that you can see'), 'one JSON object per image and line')
    .option('--name <name>', 'of that name')
    .option('--status <status>', 'of that status: queued, active, importing, …')
    .option('--visibility <visibility>', 'public, private, shared, community or all')
    .option('--tag <tag>', 'with that tag')
    .option('--property <name=value>', 'with that property; may be repeated', propertyArgument, {})
    .option('--limit <n>', 'so many at most', countArgument)
    .action(async (options: Options) => {
      const { name, status, visibility, tag, property, limit = Number.POSITIVE_INFINITY, json } = options;
      const given = Object.entries({ name, status, visibility, tag });
      const filter = Object.fromEntries(given.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
      const { client } = await serviceOf(options);
      const rows: string[][] = [];
      let left = limit;
      for await (const image of eachImage(client, { ...property, ...filter })) {
        if (left-- <= 0) break;
        if (json === true) writeJson(image);
        else rows.push(imageRow(image));
      }
      if (json !== true) process.stdout.write(`${tableLines(IMAGE_COLUMNS, rows).join('\n')}\n`);
      done(EXIT.ok);
    });
};
