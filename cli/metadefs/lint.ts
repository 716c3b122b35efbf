/** What `glimpse image lint` asks the service for. */
import { type Finding, IMAGE_TYPE, type LintInput, lintImage } from '../../api/metadefs/image-lint.ts';
import { ApiError, type Session } from '../session.ts';
import { findNamespace, listNamespaces } from './namespaces.ts';

/** @param which id or name of an image @throws ApiError; Error when no image, or more than one, is named so */
export async function findingsOf(session: Session, which: string): Promise<readonly Finding[]> {
  return lintImage(await lintInput(session, which));
}

async function lintInput(session: Session, which: string): Promise<LintInput> {
  const image = await findImage(session, which);
  const schema = await session.request<LintInput['schema']>('GET', '/v2/schemas/image');
  const type = encodeURIComponent(IMAGE_TYPE);
  const names = await listNamespaces(session, `&resource_types=${type}`);
  const namespaces = [];
  for (const { namespace } of names) {
    const shown = await findNamespace(session, namespace, `?resource_type=${type}`);
    if (shown !== undefined) namespaces.push(shown as LintInput['namespaces'][number]);
  }
  return { image, schema, namespaces };
}

/** By id, else by a name that only one image has. */
async function findImage(session: Session, which: string): Promise<LintInput['image']> {
  try {
    return await session.request('GET', `/v2/images/${encodeURIComponent(which)}`);
  } catch (error) {
    if (!(error instanceof ApiError) || ![400, 403, 404].includes(error.status)) throw error;
  }
  const name = encodeURIComponent(`in:"${which.replaceAll(/["\\]/g, '\\$&')}"`);
  const { images } = await session.request<{ images: readonly LintInput['image'][] }>('GET', `/v2/images?name=${name}`);
  const [image, another] = images;
  if (image === undefined) throw new Error(`there is no image ${which}`);
  if (another !== undefined) throw new Error(`more than one image is named ${which}; give its id`);
  return image;
}
