import type { Client } from '../../api/client.ts';
import type { LeftOverAnswer } from '../../api/imports/answers.ts';
import { nextMarker } from '../../api/page-links.ts';

type LeftOver = LeftOverAnswer['images'][number];

/** Images that stay queued without bytes, page by page. @throws the service's error kinds */
export async function* leftovers(client: Client, hours: number | undefined): AsyncGenerator<LeftOver> {
  let marker: string | undefined;
  do {
    const query = { ...(hours !== undefined && { hours: String(hours) }), ...(marker !== undefined && { marker }) };
    const { images, next } = await client.listLeftovers({ query });
    yield* images;
    marker = nextMarker(next);
  } while (marker !== undefined);
}

export function leftoverLine({ id, name, owner, updated_at }: LeftOver): string {
  return `${id}  ${name ?? '(no name)'}; of ${owner ?? 'nobody'}; queued since ${updated_at}`;
}
