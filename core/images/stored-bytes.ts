import { imagePrefix } from '../../bytes/keys.ts';
import { isReservedKey } from '../../bytes/reserved-keys.ts';
import type { StoredBytes } from '../../bytes/stored-bytes.ts';
import type { Config } from '../config.ts';
import type { Image, Location } from './image.ts';

/**
 * Where one copy of an image can be read: what the service wrote lies under the image's prefix, what a client brought is the one
 * object that its URL names. Undefined when the store is not configured any more or has another bucket now, and for a URL that no
 * client may bring, whenever it came in.
 */
export function storedBytesOf(
  { stores }: Pick<Config, 'stores'>,
  image: Pick<Image, 'id' | 'size'>,
  location: Location,
): StoredBytes | undefined {
  const { store: place, writeId, layout, url, storedBytes } = location;
  const store = stores.find(({ id }) => id === place);
  if (store === undefined) return undefined;
  if (writeId !== undefined) return { place, prefix: imagePrefix(image.id, writeId), layout, size: image.size ?? 0 };
  const root = `s3://${store.bucket}/`;
  const key = url.slice(root.length);
  if (!url.startsWith(root) || isReservedKey(key)) return undefined;
  return { place, prefix: '', key, layout, size: storedBytes };
}
