import { UsageError } from '../exit.ts';
import { type ImageOptions, recordOf, withImageOptions } from './image-options.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

type Options = ImageOptions & ServiceOptions & { readonly wait: boolean };

/** `glimpse import`: exit 0 when the image is active, 3 when the import failed, 1 when the service could not be asked. */
export const importUrlCommand: Register = (program, done) => {
  const command = program
    .command('import')
    .description('make an image of what a URL holds; the service fetches it')
    .argument('<url>', 'http or https')
    .option('--no-wait', 'do not wait for the end of the import');
  onService(withImageOptions(command), 'the image as a JSON object').action(async (url: string, options: Options) => {
    const file = fileOf(url);
    const { client } = await serviceOf(options);
    const { settleImport } = await import('../imports/settle.ts');
    const found = { name: nameOf(file), diskFormat: await formatOf(file), containerFormat: 'bare' };
    const { value: image } = await client.createImage({ body: recordOf(options, found) });
    await client
      .importImage({
        params: { id: image.id },
        body: { method: { name: 'web-download', uri: url }, ...(options.stores && { stores: [...options.stores] }) },
      })
      .catch(async (error: unknown) => {
        // A record without an import is of no use to anybody.
        await client.deleteImage({ params: { id: image.id } }).catch(() => undefined);
        throw error;
      });
    done(await settleImport(client, image.id, options));
  });
};

/** Last name of the path. @throws UsageError for what is no URL */
function fileOf(url: string): string {
  if (!URL.canParse(url)) throw new UsageError(`${url} is no URL`);
  return decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
}

/** Without the extension. */
const nameOf = (file: string): string => file.replace(/\.[A-Za-z0-9]{1,6}$/, '') || file || 'image';

/** By the extension, as of a dropped file; raw when it says nothing. */
async function formatOf(file: string): Promise<string> {
  const { FORMATS } = await import('../../formats/catalog.ts');
  const extension = /\.([A-Za-z0-9]+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
  const found = FORMATS.find(({ extensions }) => extensions?.includes(extension) === true);
  return found?.glance !== undefined && 'disk' in found.glance ? found.glance.disk : 'raw';
}
