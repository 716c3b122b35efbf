import type { Place } from '../aws/s3/places.ts';
import type { Layout } from '../core/images/image.ts';

/** Where the pieces of a stored image lie below its prefix (design section 5). */
export const dataKey = (prefix: string): string => `${prefix}data`;
export const mapKey = (prefix: string): string => `${prefix}map`;
/** The segment of slice `n`, counted from 0. */
export const segmentKey = (prefix: string, n: number): string => `${prefix}s/${n}`;

/** The location URL of a stored image: `s3://bucket/{prefix}data`, or `glimpse+s3://bucket/{prefix}map`. */
export function locationUrl(place: Pick<Place, 'bucket'>, prefix: string, layout: Layout): string {
  return layout === 'plain'
    ? `s3://${place.bucket}/${dataKey(prefix)}`
    : `glimpse+s3://${place.bucket}/${mapKey(prefix)}`;
}

/** An object as the source of a copy inside the service (S3 `x-amz-copy-source`). */
export function copySource(place: Pick<Place, 'bucket'>, key: string): string {
  return `${place.bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}
