/** Images whose bytes went with an emulator that kept nothing: records say where they lay, and those buckets are new. */
import type { Config } from '../../core/config.ts';
import type { Image } from '../../core/images/image.ts';
import type { ImageListing } from '../../core/images/repository.ts';

const PAGE = 100;
/** Of the names that are told. */
const MOST_NAMED = 10;

/** One sentence; undefined when nothing was lost. @param newBuckets those that had to be made */
export async function lostBytes(
  imageList: Pick<ImageListing, 'page'>,
  { stores }: Pick<Config, 'stores'>,
  newBuckets: readonly string[],
): Promise<string | undefined> {
  const emptied = new Set(stores.filter(({ bucket }) => newBuckets.includes(bucket)).map(({ id }) => id));
  if (emptied.size === 0) return undefined;
  const lost: string[] = [];
  for await (const image of everyImage(imageList)) {
    const gone = image.locations.filter(({ store }) => emptied.has(store)).map(({ store }) => store);
    if (gone.length > 0) lost.push(`${image.name ?? 'without a name'} (${image.id}) in ${gone.join(', ')}`);
  }
  if (lost.length === 0) return undefined;
  const named = lost.slice(0, MOST_NAMED).join('; ');
  const more = lost.length > MOST_NAMED ? `; and ${lost.length - MOST_NAMED} more` : '';
  return `the bytes of ${lost.length} ${lost.length === 1 ? 'image are' : 'images are'} gone with the state of the emulator: ${named}${more}: delete them, or bring them in again`;
}

async function* everyImage(imageList: Pick<ImageListing, 'page'>): AsyncGenerator<Image> {
  let marker: Image | undefined;
  do {
    const { images, more } = await imageList.page({
      ...{ project: null, isAdmin: true, visibility: 'all', memberStatus: 'all', filters: [], limit: PAGE },
      sort: [
        { key: 'createdAt', direction: 'asc' },
        { key: 'id', direction: 'asc' },
      ],
      ...(marker === undefined ? {} : { marker }),
    });
    yield* images;
    marker = more ? images.at(-1) : undefined;
  } while (marker !== undefined);
}
