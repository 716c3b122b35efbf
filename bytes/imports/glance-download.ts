import { z } from 'zod';
import { FetchFailed, ImageRefused } from '../../core/errors.ts';
import type { Image } from '../../core/images/image.ts';
import { isReserved } from '../../core/images/reserved.ts';
import { checkPropertyQuota, checkValues } from '../../core/images/rules.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import type { Web, WebSource } from '../../core/imports/web.ts';
import type { WithSourceSecretReads } from '../../core/tasks/source-secrets.ts';
import type { ImportFacts, ImportMethod } from '../../core/tasks/task.ts';
import { type DownloadDeps, download } from './download.ts';
import type { StepTools } from './step.ts';

type GlanceDownload = Extract<ImportMethod, { readonly name: 'glance-download' }>;
type GlanceDownloadDeps = DownloadDeps & WithSourceSecretReads;

/** An image as another service shows it, as far as it is taken over. */
const RemoteImage = z.looseObject({
  status: z.string(),
  size: z.int().nonnegative(),
  disk_format: z.string(),
  container_format: z.string(),
});
type RemoteImage = z.infer<typeof RemoteImage>;

/** Milliseconds for the description of an image. */
const DESCRIBED_MS = 60_000;

/**
 * glance-download: what another service says of its image is taken over, as far as the configuration wants it, and its bytes are
 * fetched, both with the token of who asked (contract: import.md section 4, ImportMetadata and Download).
 * @throws FetchFailed (unreachable, refused there, not active, of another size), ImageRefused (a format unknown here); as `download`
 */
export async function glanceDownload(
  deps: GlanceDownloadDeps,
  task: ImportTask,
  method: GlanceDownload,
  tools: StepTools,
  web: Web,
): Promise<Pick<ImportFacts, 'source' | 'sourceDigests'>> {
  const token = await deps.sourceSecretReads.of(task.id);
  if (token === undefined) throw new FetchFailed('The token of the import is gone, or cannot be read any more');
  const { endpoint, facing, region } = method;
  if (endpoint === undefined)
    throw new FetchFailed(
      `The catalog of who asked has no image service with a ${facing} endpoint in region '${region}'`,
    );
  const url = `${endpoint}/v2/images/${method.remoteImageId}`;
  const trusted = { origin: new URL(endpoint).origin, headers: { 'x-auth-token': token } };
  const at = (uri: string): WebSource => ({ uri, trusted });
  const remote = await activeImage(at(url), method, web);
  await takeOver(deps, task, remote);
  return download(deps, task, { source: at(`${url}/file`), size: remote.size }, tools, web);
}

async function activeImage(
  source: WebSource,
  { region, remoteImageId }: GlanceDownload,
  web: Web,
): Promise<RemoteImage> {
  const read = RemoteImage.safeParse(await web.readJson(source, AbortSignal.timeout(DESCRIBED_MS)));
  const name = `Image ${remoteImageId} of region ${region}`;
  if (!read.success) throw new FetchFailed(`${name} is described without a status, a size or formats`);
  if (read.data.status !== 'active')
    throw new FetchFailed(`${name} has the status ${read.data.status}: only an active one can be imported`);
  return read.data;
}

/** What is replaced is noted first, for whoever reverts the import; it is done again by every attempt. */
async function takeOver(deps: GlanceDownloadDeps, task: ImportTask, remote: RemoteImage): Promise<void> {
  const image = await deps.images.get(task.imageId);
  if (image === undefined) return;
  const properties = propertiesOf(remote, deps.config.glance_download_properties.extra_properties);
  checkFormat('disk_format', remote.disk_format, deps.config.image_format.disk_formats);
  checkFormat('container_format', remote.container_format, deps.config.image_format.container_formats);
  checkValues({ properties });
  checkPropertyQuota(deps.config, image.properties, { ...image.properties, ...properties });
  if (task.facts.replaced === undefined) await deps.tasks.note(task.id, { replaced: replacedBy(properties, image) });
  await deps.images.change(task.imageId, {
    expect: { lock: task.id },
    set: { diskFormat: remote.disk_format, containerFormat: remote.container_format },
    mergeProperties: properties,
  });
}

function replacedBy(
  properties: Readonly<Record<string, string>>,
  { diskFormat, containerFormat, properties: before }: Image,
): NonNullable<ImportFacts['replaced']> {
  const old = Object.keys(properties).map((key) => [key, before[key] ?? null] as const);
  return { diskFormat, containerFormat, properties: Object.fromEntries(old) };
}

/** Properties that begin with what the configuration names; what is the service's own is never among them. */
function propertiesOf(remote: RemoteImage, prefixes: readonly string[]): Record<string, string> {
  const wanted = Object.entries(remote).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === 'string' && !isReserved(entry[0]) && prefixes.some((prefix) => entry[0].startsWith(prefix)),
  );
  return Object.fromEntries(wanted);
}

function checkFormat(name: string, format: string, known: readonly string[]): void {
  if (!known.includes(format))
    throw new ImageRefused(`The image has the ${name} ${format}, which is not among ${known.join(', ')}`);
}
