/**
 * Where bytes lie: every key and prefix there is (design section 5). A prefix names image and write, so that clean-up is a prefix,
 * a retried write replaces itself, and a competing write never touches another's objects. The same form is used in the staging
 * bucket and in stores.
 */
import { createHash } from 'node:crypto';
import type { Layout } from './stored-bytes.ts';

/** What is found out about the service behind a bucket. */
export const PROBE_PREFIX = 'probe/';
export const ABILITIES_KEY = `${PROBE_PREFIX}abilities.json`;
/** What the service itself wrote. */
const OWN_PREFIX = 'images/';
/** Files that people drop, as `drop/{project}/{name}.{ext}`; workflows/topology.ts asks for their events. */
export const DROP_PREFIX = 'drop/';
/** Dropped files that could not be taken. */
const QUARANTINE_PREFIX = 'quarantine/';
/** Bytes that wait for an import. */
const STAGED_PREFIX = 'staged/';
/** What imports work with. */
const PLANS_PREFIX = 'plans/';

/** Every prefix that the service uses in a bucket: no client may name a key under one of them. */
export const RESERVED_PREFIXES = [
  OWN_PREFIX,
  STAGED_PREFIX,
  PLANS_PREFIX,
  DROP_PREFIX,
  QUARANTINE_PREFIX,
  PROBE_PREFIX,
] as const;

/** Whatever was ever written of an image. */
export const imageRoot = (imageId: string): string => `${OWN_PREFIX}${imageId}/`;
export const imagePrefix = (imageId: string, writeId: string): string => `${imageRoot(imageId)}${writeId}/`;
/** Whatever was ever staged for an image. */
export const stagedRoot = (imageId: string): string => `${STAGED_PREFIX}${imageId}/`;
/** Bytes of PUT stage, and bytes that an import fetched. */
export const stagedPrefix = (imageId: string, writeId: string): string => `${stagedRoot(imageId)}${writeId}/`;
/** What an import takes out of an archive: beside what it renders, so that one prefix cleans both. */
export const unpackedPrefix = (imageId: string, writeId: string): string => `${imagePrefix(imageId, writeId)}unpacked/`;

/** Where the pieces of a stored image lie below its prefix. */
export const dataKey = (prefix: string): string => `${prefix}data`;
export const mapKey = (prefix: string): string => `${prefix}map`;
/** The segment of slice `n`, counted from 0. */
export const segmentKey = (prefix: string, n: number): string => `${prefix}s/${n}`;

/** Plan, fragments and bodies of an import, in the staging bucket. */
export const planPrefix = (taskId: string): string => `${PLANS_PREFIX}${taskId}/`;
export const planKey = (taskId: string): string => `${planPrefix(taskId)}plan.json`;
/** What batch `n` found. */
export const fragmentKey = (taskId: string, batch: number): string => `${planPrefix(taskId)}b/${batch}.json`;
/** A body of an encoded slice; it lies beside the plan and goes with it. */
export const bodyKey = (taskId: string, slice: number, body: 'plain' | 'packed'): string =>
  `${planPrefix(taskId)}s/${slice}/${body}`;

/** What is known of an unfinished upload of one phase (`fetch`, `copy:{store}` …). */
export const uploadNoteKey = (taskId: string, phase: string): string => `${planPrefix(taskId)}u/${phase}.json`;

/** A stretch of an object that has more parts than one upload may have. */
export const groupKey = (taskId: string, group: number): string => `${planPrefix(taskId)}g/${group}`;

/** Where a dropped file is set aside. The prefix is longer than the one before: a key that grows too long for S3 ends in a digest. */
export function quarantineKey(dropped: string): string {
  const key = QUARANTINE_PREFIX + dropped.slice(DROP_PREFIX.length);
  if (Buffer.byteLength(key) <= KEY_BYTES) return key;
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 16);
  const kept = Buffer.from(key)
    .subarray(0, KEY_BYTES - digest.length - 4)
    .toString();
  return `${kept.replace(/\ufffd+$/, '')}-${digest}`;
}
/** Of S3. */
const KEY_BYTES = 1024;

/** The location URL of a stored image: `s3://{bucket}/{prefix}data`, or `glimpse+s3://{bucket}/{prefix}map`. */
export function locationUrl(
  { kind, bucket }: { readonly kind: string; readonly bucket: string },
  prefix: string,
  layout: Layout,
): string {
  const root = `${kind}://${bucket}/`;
  return layout === 'plain' ? root + dataKey(prefix) : `glimpse+${root}${mapKey(prefix)}`;
}
