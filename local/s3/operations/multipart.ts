import { createHash, randomBytes } from 'node:crypto';
import { receiveBody } from '../body/receive.ts';
import type { ByteRange } from '../byte-range.ts';
import { checksumAlgorithm, isCrc } from '../checksum/algorithms.ts';
import { encrypted, encryptionIn, encryptionOf } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { attributesOf, checksumHeaders, quoted } from '../object-headers.ts';
import type { S3Request } from '../request.ts';
import type { ChecksumAlgorithm, ChecksumType, UploadRecord } from '../store/model.ts';
import { xmlDocument } from '../xml.ts';
import type { Operation } from './operation.ts';

const MAX_PART_NUMBER = 10_000;

/** The `partNumber` of a request, 1 to 10,000. Throws InvalidArgument. */
export function partNumberOf(request: S3Request): number {
  const number = Number(request.query.get('partNumber'));
  if (Number.isInteger(number) && number >= 1 && number <= MAX_PART_NUMBER) return number;
  throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`);
}

/** ETag of a copied part: a digest of source ETag and range, since the bytes are never read. Opaque like all ETags here. */
export function copiedEtag(sourceEtag: string, { start, length }: ByteRange): string {
  return `${createHash('md5').update(`${sourceEtag} ${start} ${length}`).digest('hex')}-1`;
}

/** The type an upload's checksum will have. Throws InvalidRequest for combinations that S3 refuses. */
function checksumTypeOf(algorithm: ChecksumAlgorithm, given: string | undefined): ChecksumType {
  const fallback = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  const type = given ?? fallback;
  if (type !== 'FULL_OBJECT' && type !== 'COMPOSITE')
    throw new S3Error('InvalidRequest', `Checksum type ${type} is unknown`);
  const impossible = type === 'FULL_OBJECT' ? !isCrc(algorithm) : algorithm === 'CRC64NVME';
  if (impossible)
    throw new S3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    );
  return type;
}

function checksumSettings(request: S3Request): Pick<UploadRecord, 'algorithm' | 'checksumType'> {
  const name = request.header('x-amz-checksum-algorithm');
  const type = request.header('x-amz-checksum-type');
  if (name === undefined) {
    if (type !== undefined)
      throw new S3Error(
        'InvalidRequest',
        'The x-amz-checksum-type header can only be used with x-amz-checksum-algorithm.',
      );
    return {};
  }
  const algorithm = checksumAlgorithm(name);
  if (algorithm === undefined) throw new S3Error('InvalidRequest', `Checksum algorithm ${name} is not supported`);
  return { algorithm, checksumType: checksumTypeOf(algorithm, type) };
}

export const createMultipartUpload: Operation = async ({ store }, request) => {
  const { bucket, key } = request;
  const encryption = encryptionOf(request, store.bucket(bucket).record);
  const attributes = encrypted(attributesOf(request), encryption);
  const settings = checksumSettings(request);
  const id = randomBytes(24).toString('base64url');
  const upload: UploadRecord = { ...attributes, ...settings, id, bucket, key, initiatedMs: store.clock() };
  await store.commit({ type: 'upload', upload });
  const headers: Record<string, string> =
    settings.algorithm === undefined || settings.checksumType === undefined
      ? {}
      : { 'x-amz-checksum-algorithm': settings.algorithm, 'x-amz-checksum-type': settings.checksumType };
  return {
    status: 200,
    headers: { ...headers, ...encryption },
    body: xmlDocument('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: id }),
  };
};

/** UploadPart. The upload is looked up again when the body is there: it may be gone by then. */
export const uploadPart: Operation = async (service, request) => {
  const { store } = service;
  const { bucket, key } = request;
  const id = request.query.get('uploadId') ?? '';
  const number = partNumberOf(request);
  const { record } = store.upload(bucket, key, id);
  const body = await receiveBody(store, request, service.verifySignatures, record.algorithm);
  const { discard, ...stored } = body;
  try {
    if (record.algorithm !== undefined && stored.checksum?.algorithm !== record.algorithm) {
      throw new S3Error(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${record.algorithm}`,
      );
    }
    store.upload(bucket, key, id);
    await store.commit({ type: 'part', id, number, part: { ...stored, modifiedMs: store.clock() } });
  } catch (error) {
    if (store.uploads.get(id)?.parts.get(number)?.segments !== stored.segments) await discard();
    throw error;
  }
  const encryption = encryptionIn(record.headers);
  return { status: 200, headers: { etag: quoted(stored.etag), ...encryption, ...checksumHeaders(stored.checksum) } };
};

export const abortMultipartUpload: Operation = async ({ store }, request) => {
  const { record } = store.upload(request.bucket, request.key, request.query.get('uploadId') ?? '');
  await store.commit({ type: 'upload-aborted', id: record.id });
  return { status: 204 };
};
