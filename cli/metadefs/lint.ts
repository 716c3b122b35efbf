/** What `glimpse image lint` asks the service for. */
import type { Client } from '../../api/client.ts';
import { BOOT_PROPERTIES, bootIdOf, type KernelFinding, kernelFindings } from '../../api/images/kernel-lint.ts';
import { type Finding, IMAGE_TYPE, type LintInput, lintImage } from '../../api/metadefs/image-lint.ts';
import { nextMarker } from '../../api/page-links.ts';
import { findImage, showImage } from '../images/find.ts';
import { findNamespace, listNamespaces } from './namespaces.ts';

type Image = LintInput['image'];

/** What was found of one image; `image` is its id. */
export type ImageFinding = (Finding | KernelFinding) & { readonly image: string };

/** Findings that ask for nothing: a property of somebody's own, a kernel that is of use. */
const NOTES: ReadonlySet<ImageFinding['kind']> = new Set(['unknown', 'in_use']);

export const isNote = ({ kind }: ImageFinding): boolean => NOTES.has(kind);

/** @param which id or name of an image @throws the service's error kinds; Error when no image, or more than one, is named so */
export async function findingsOf(client: Client, which: string): Promise<readonly ImageFinding[]> {
  const image = await findImage(client, which);
  const lint = await linter(client);
  const users = await Promise.all(BOOT_PROPERTIES.map((property) => listImages(client, { [property]: image['id'] })));
  return lint(image, users.flat());
}

/** The same of every image that the caller's list shows. @throws the service's error kinds */
export async function findingsOfAll(client: Client): Promise<readonly ImageFinding[]> {
  const images = await listImages(client);
  const lint = await linter(client, new Set(images.map(({ id }) => String(id))));
  const findings: ImageFinding[] = [];
  for (const image of images) findings.push(...(await lint(image, images)));
  return findings;
}

type Lint = (image: Image, users: readonly Image[]) => Promise<ImageFinding[]>;

/** @param present ids of images that are there; others are asked for, once each */
async function linter(client: Client, present: Set<string> = new Set()): Promise<Lint> {
  const schema = await client.showImageSchema();
  const namespaces: LintInput['namespaces'][number][] = [];
  for (const { namespace } of await listNamespaces(client, IMAGE_TYPE)) {
    const shown = await findNamespace(client, namespace, IMAGE_TYPE);
    if (shown !== undefined) namespaces.push(shown);
  }
  const gone = new Set<string>();
  return async (image, users) => {
    const named = BOOT_PROPERTIES.map((property) => bootIdOf(image, property)).filter((id) => id !== undefined);
    for (const id of named) {
      if (present.has(id) || gone.has(id)) continue;
      ((await showImage(client, id)) === undefined ? gone : present).add(id);
    }
    const findings = [...lintImage({ image, schema, namespaces }), ...kernelFindings(image, { gone, users })];
    return findings.map((finding) => ({ image: String(image['id']), ...finding }));
  };
}

/** Images that the caller's list shows, hidden ones too. */
async function listImages(client: Client, filter: Readonly<Record<string, unknown>> = {}): Promise<Image[]> {
  const found: Image[] = [];
  for (const hidden of ['false', 'true']) {
    let marker: string | undefined;
    do {
      const query = new URLSearchParams({ limit: '200', os_hidden: hidden });
      for (const [key, value] of Object.entries(filter)) query.set(key, String(value));
      if (marker !== undefined) query.set('marker', marker);
      const page = await client.listImages({ query });
      found.push(...page.images);
      marker = nextMarker(page.next);
    } while (marker !== undefined);
  }
  return found;
}
