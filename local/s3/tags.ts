import { S3Error } from './errors.ts';
import { parseXml, xmlDocument } from './xml.ts';

/** Tags of one object, in the order given. */
export type Tags = readonly (readonly [key: string, value: string])[];

const MAX_TAGS = 10;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

/** Checks S3's limits: 10 tags, distinct keys of 1 to 128, values up to 256 characters. Throws InvalidTag. */
function checkTags(tags: Tags): Tags {
  if (tags.length > MAX_TAGS) throw new S3Error('InvalidTag', 'Object tags cannot be greater than 10');
  if (new Set(tags.map(([key]) => key)).size !== tags.length)
    throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
  for (const [key, value] of tags) {
    if (key.length < 1 || key.length > MAX_KEY_LENGTH)
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid');
    if (value.length > MAX_VALUE_LENGTH) throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid');
  }
  return tags;
}

/** Tags of the `x-amz-tagging` header, a URL query string. Throws InvalidTag. */
export function parseTagHeader(header: string | undefined): Tags {
  return header === undefined ? [] : checkTags([...new URLSearchParams(header)]);
}

/** Tags of a PutObjectTagging body. Throws MalformedXML, InvalidTag. */
export function parseTagBody(body: string): Tags {
  const tags = parseXml(body, 'Tagging').child('TagSet')?.list('Tag') ?? [];
  return checkTags(tags.map((tag) => [tag.text('Key') ?? '', tag.text('Value') ?? ''] as const));
}

/** The GetObjectTagging body. */
export function tagDocument(tags: Tags): string {
  return xmlDocument('Tagging', { TagSet: { Tag: tags.map(([Key, Value]) => ({ Key, Value })) } });
}
