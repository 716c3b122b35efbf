/** What `glimpse image lint` asks the service for. */
import type { Client } from '../../api/client.ts';
import { kindOf } from '../../api/errors.ts';
import { type Finding, IMAGE_TYPE, type LintInput, lintImage } from '../../api/metadefs/image-lint.ts';
import { findNamespace, listNamespaces } from './namespaces.ts';

/** @param which id or name of an image @throws the service's error kinds; Error when no image, or more than one, is named so */
export async function findingsOf(client: Client, which: string): Promise<readonly Finding[]> {
  return lintImage(await lintInput(client, which));
}

async function lintInput(client: Client, which: string): Promise<LintInput> {
  const image = await findImage(client, which);
  const schema = await client.showImageSchema();
  const names = await listNamespaces(client, IMAGE_TYPE);
  const namespaces = [];
  for (const { namespace } of names) {
    const shown = await findNamespace(client, namespace, IMAGE_TYPE);
    if (shown !== undefined) namespaces.push(shown);
  }
  return { image, schema, namespaces };
}

/** By id, else by a name that only one image has. */
async function findImage(client: Client, which: string): Promise<LintInput['image']> {
  try {
    return await client.showImage({ params: { id: which } });
  } catch (error) {
    if (!['InvalidInput', 'Forbidden', 'NotFound'].includes(kindOf(error) ?? '')) throw error;
  }
  const name = `in:"${which.replaceAll(/["\\]/g, '\\$&')}"`;
  const { images } = await client.listImages({ query: { name } });
  const [image, another] = images;
  if (image === undefined) throw new Error(`there is no image ${which}`);
  if (another !== undefined) throw new Error(`more than one image is named ${which}; give its id`);
  return image;
}
