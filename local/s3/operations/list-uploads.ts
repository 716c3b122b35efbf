import { checksumFields, quoted } from '../object-headers.ts';
import { integerParameter } from '../request.ts';
import { compareKeys } from '../store/key-index.ts';
import type { UploadRecord } from '../store/model.ts';
import { xmlDocument } from '../xml.ts';
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
      NextPartNumberMarker: page.at(-1)?.[0] ?? marker,
      MaxParts: maxParts,
      IsTruncated: page.length < after.length,
      ChecksumAlgorithm: record.algorithm,
      ChecksumType: record.checksumType,
      Part: page.map(([number, { size, etag, modifiedMs, checksum }]) => {
        const { ChecksumType: _, ...sums } = checksumFields(checksum);
        return {
          PartNumber: number,
          LastModified: new Date(modifiedMs).toISOString(),
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

/** ListMultipartUploads, in key order, oldest first within a key. With a delimiter, keys beyond it are rolled up. */
export const listMultipartUploads: Operation = ({ store }, request) => {
  const { bucket, query } = request;
  store.bucket(bucket);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const maxUploads = integerParameter(request, 'max-uploads', MAX_ENTRIES, 1, MAX_ENTRIES);
  const all = [...store.uploads.values()]
    .map(({ record }) => record)
    .filter((record) => record.bucket === bucket && record.key.startsWith(prefix))
    .sort(byKeyThenAge);
  const isRolledUp = ({ key }: UploadRecord): boolean => delimiter !== '' && key.includes(delimiter, prefix.length);
  const prefixes = new Set(
    all.filter(isRolledUp).map(({ key }) => key.slice(0, key.indexOf(delimiter, prefix.length) + delimiter.length)),
  );
  const after = afterMarkers(
    all.filter((record) => !isRolledUp(record)),
    keyMarker,
    idMarker,
  );
  const page = after.slice(0, maxUploads);
  const truncated = page.length < after.length;
  return {
    status: 200,
    body: xmlDocument('ListMultipartUploadsResult', {
      Bucket: bucket,
      KeyMarker: keyMarker,
      UploadIdMarker: idMarker,
      NextKeyMarker: truncated ? page.at(-1)?.key : undefined,
      NextUploadIdMarker: truncated ? page.at(-1)?.id : undefined,
      Prefix: prefix,
      Delimiter: delimiter === '' ? undefined : delimiter,
      MaxUploads: maxUploads,
      IsTruncated: truncated,
      Upload: page.map(({ key, id, initiatedMs, algorithm, checksumType }) => ({
        Key: key,
        UploadId: id,
        Initiator: OWNER,
        Owner: OWNER,
        StorageClass: 'STANDARD',
        Initiated: new Date(initiatedMs).toISOString(),
        ChecksumAlgorithm: algorithm,
        ChecksumType: checksumType,
      })),
      CommonPrefixes: [...prefixes].map((found) => ({ Prefix: found })),
    }),
  };
};
