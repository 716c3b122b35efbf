import { checksumFields, quoted } from '../object-headers.ts';
import { integerParameter } from '../request.ts';
import { compareKeys } from '../store/key-index.ts';
import type { UploadRecord } from '../store/model.ts';
import { listedTime, xmlDocument } from '../xml.ts';
import { commonPrefix, encoderOf } from './list.ts';
import type { Operation } from './operation.ts';

const MAX_ENTRIES = 1000;
const OWNER = { ID: 'local', DisplayName: 'local' };

export const listParts: Operation = ({ store }, request) => {
  const { bucket, key } = request;
  const { record, parts } = store.upload(bucket, key, request.query.get('uploadId') ?? '');
  const marker = integerParameter(request, 'part-number-marker', 0, 0, Number.MAX_SAFE_INTEGER);
  const maxParts = integerParameter(request, 'max-parts', MAX_ENTRIES, 0, MAX_ENTRIES);
  const after = [...parts].filter(([number]) => number > marker).sort(([a], [b]) => a - b);
  const page = after.slice(0, maxParts);
  return {
    status: 200,
    body: xmlDocument('ListPartsResult', {
      Bucket: bucket,
      Key: key,
      UploadId: record.id,
      Initiator: OWNER,
      Owner: OWNER,
      StorageClass: 'STANDARD',
      PartNumberMarker: marker,
      NextPartNumberMarker: page.at(-1)?.[0] ?? 0,
      MaxParts: maxParts,
      IsTruncated: page.length < after.length,
      ChecksumAlgorithm: record.algorithm,
      ChecksumType: record.checksumType,
      Part: page.map(([number, { size, etag, modifiedMs, checksum }]) => {
        const { ChecksumType: _, ...sums } = checksumFields(record.algorithm === undefined ? undefined : checksum);
        return {
          PartNumber: number,
          LastModified: listedTime(modifiedMs),
          ETag: quoted(etag),
          Size: size,
          ...sums,
        };
      }),
    }),
  };
};

function byKeyThenAge(a: UploadRecord, b: UploadRecord): number {
  return compareKeys(a.key, b.key) || a.initiatedMs - b.initiatedMs || compareKeys(a.id, b.id);
}

/** Uploads after the markers: later keys, and with an upload id marker also later uploads of the same key. */
function afterMarkers(uploads: readonly UploadRecord[], keyMarker: string, idMarker: string): readonly UploadRecord[] {
  if (keyMarker === '') return uploads;
  const at = uploads.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  if (idMarker !== '' && at !== -1) return uploads.slice(at + 1);
  return uploads.filter(({ key }) => compareKeys(key, keyMarker) > 0);
}

/**
 * ListMultipartUploads, in key order, oldest first within a key. With a delimiter, keys beyond it are rolled up; a marker that is, or
 * stands under, a common prefix is behind all of it. The next markers are those of the last upload of the page, truncated or not.
 */
export const listMultipartUploads: Operation = ({ store }, request) => {
  const { bucket, query } = request;
  store.bucket(bucket);
  const encode = encoderOf(request);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const maxUploads = integerParameter(request, 'max-uploads', MAX_ENTRIES, 1, MAX_ENTRIES);
  const groupOf = (key: string): string | undefined => commonPrefix(key, prefix, delimiter);
  const markerGroup = keyMarker === '' ? undefined : groupOf(keyMarker);
  const all = [...store.uploads.values()]
    .map(({ record }) => record)
    .filter((record) => record.bucket === bucket && record.key.startsWith(prefix))
    .sort(byKeyThenAge);
  const after = afterMarkers(all, keyMarker, idMarker).filter(
    ({ key }) => markerGroup === undefined || groupOf(key) !== markerGroup,
  );
  const entries = new Map<string, UploadRecord | undefined>();
  for (const record of after) {
    const group = groupOf(record.key);
    entries.set(group ?? `${record.key}\n${record.id}`, group === undefined ? record : undefined);
  }
  const page = [...entries].slice(0, maxUploads);
  const uploads = page.flatMap(([, record]) => record ?? []);
  return {
    status: 200,
    body: xmlDocument('ListMultipartUploadsResult', {
      Bucket: bucket,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: encode(uploads.at(-1)?.key ?? ''),
      NextUploadIdMarker: uploads.at(-1)?.id ?? '',
      Prefix: encode(prefix),
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      EncodingType: query.get('encoding-type'),
      MaxUploads: maxUploads,
      IsTruncated: page.length < entries.size,
      Upload: uploads.map(({ key, id, initiatedMs, algorithm, checksumType }) => ({
        Key: encode(key),
        UploadId: id,
        Initiator: OWNER,
        Owner: OWNER,
        StorageClass: 'STANDARD',
        Initiated: listedTime(initiatedMs),
        ChecksumAlgorithm: algorithm,
        ChecksumType: checksumType,
      })),
      CommonPrefixes: page.flatMap(([group, record]) => (record === undefined ? [{ Prefix: encode(group) }] : [])),
    }),
  };
};
