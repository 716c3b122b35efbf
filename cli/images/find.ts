/** Images by what people call them. */
import type { Client } from '../../api/client.ts';
import { kindOf } from '../../api/errors.ts';
import type { ImageAnswer } from '../../api/images/answers.ts';
import { nextMarker } from '../../api/page-links.ts';

/** By id. @returns undefined when there is none, or none for the caller, or it is no id */
export async function showImage(client: Client, id: string): Promise<ImageAnswer | undefined> {
  try {
    return await client.showImage({ params: { id } });
  } catch (error) {
    if (!['InvalidInput', 'Forbidden', 'NotFound'].includes(kindOf(error) ?? '')) throw error;
    return undefined;
  }
}

/** By id, else by a name that only one image has. @throws Error when no image, or more than one, is named so */
export async function findImage(client: Client, which: string): Promise<ImageAnswer> {
  const byId = await showImage(client, which);
  if (byId !== undefined) return byId;
  const name = `in:"${which.replaceAll(/["\\]/g, '\\$&')}"`;
  const { images } = await client.listImages({ query: { name } });
  const [image, another] = images;
  if (image === undefined) throw new Error(`there is no image ${which}`);
  if (another !== undefined) throw new Error(`more than one image is named ${which}; give its id`);
  return image;
}

/** Images of a list, page by page. @param filter query parameters of the list */
export async function* eachImage(
  client: Client,
  filter: Readonly<Record<string, string>>,
): AsyncGenerator<ImageAnswer, void> {
  let marker: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '200', ...filter });
    if (marker !== undefined) query.set('marker', marker);
    const page = await client.listImages({ query });
    yield* page.images;
    marker = nextMarker(page.next);
  } while (marker !== undefined);
}
