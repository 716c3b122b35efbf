import { parsePolicy } from '../../iam/policy.ts';
import { bucketEncryption, encryptionHeaders } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { readText } from '../request.ts';
import { parseXml, xmlDocument } from '../xml.ts';
import { changeBucket } from './buckets.ts';
import type { Operation } from './operation.ts';

/** PutBucketEncryption: what objects are encrypted with when their request does not say. Throws MalformedXML. */
export const putBucketEncryption: Operation = async (service, request) => {
  service.store.bucket(request.bucket);
  const rule = parseXml(await readText(request.message), 'ServerSideEncryptionConfiguration').child('Rule');
  const chosen = rule?.child('ApplyServerSideEncryptionByDefault');
  const algorithm = chosen?.text('SSEAlgorithm');
  if (algorithm === undefined) throw new S3Error('MalformedXML');
  const encryption = encryptionHeaders(algorithm, chosen?.text('KMSMasterKeyID'));
  await changeBucket(service, request, (record) => ({ ...record, encryption }));
  return { status: 200 };
};

export const getBucketEncryption: Operation = ({ store }, { bucket }) => {
  const [algorithm, key] = Object.values(bucketEncryption(store.bucket(bucket).record));
  const chosen = { SSEAlgorithm: algorithm, ...(key === undefined ? {} : { KMSMasterKeyID: key }) };
  return {
    status: 200,
    body: xmlDocument('ServerSideEncryptionConfiguration', {
      Rule: { ApplyServerSideEncryptionByDefault: chosen, BucketKeyEnabled: false },
    }),
  };
};

export const deleteBucketEncryption: Operation = async (service, request) => {
  await changeBucket(service, request, ({ encryption: _, ...record }) => record);
  return { status: 204 };
};

/** PutBucketPolicy. Its Deny statements are asked (access.ts), whoever calls; Allow gives nothing that the account has not. Throws MalformedPolicy. */
export const putBucketPolicy: Operation = async (service, request) => {
  service.store.bucket(request.bucket);
  const policy = await readText(request.message);
  try {
    parsePolicy(policy);
  } catch (cause) {
    const message = cause instanceof Error && !(cause instanceof SyntaxError) ? cause.message : undefined;
    throw Object.assign(new S3Error('MalformedPolicy', message), { cause });
  }
  await changeBucket(service, request, (record) => ({ ...record, policy }));
  return { status: 204 };
};

export const getBucketPolicy: Operation = ({ store }, { bucket }) => {
  const { policy } = store.bucket(bucket).record;
  if (policy === undefined) throw new S3Error('NoSuchBucketPolicy');
  return { status: 200, headers: { 'content-type': 'application/json' }, body: policy };
};

export const deleteBucketPolicy: Operation = async (service, request) => {
  await changeBucket(service, request, ({ policy: _, ...record }) => record);
  return { status: 204 };
};
