import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { draftOf } from '../api/metadefs/drafts.ts';
import { parseNamespaceFile } from '../api/metadefs/namespace-file.ts';
import type { OwnedDraft } from '../core/metadefs/namespaces.ts';

const DIRECTORY = join(import.meta.dirname, '../etc/metadefs');

/** The standard catalog, from its files. @throws InvalidInput naming file and place */
export async function standardCatalog(): Promise<OwnedDraft[]> {
  const names = (await readdir(DIRECTORY)).filter((name) => name.endsWith('.json')).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const file = parseNamespaceFile(await readFile(join(DIRECTORY, name), 'utf8'), name);
      return { ...draftOf(file), owner: file.owner };
    }),
  );
}
