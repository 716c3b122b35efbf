import { XMLParser } from 'fast-xml-parser';
import { S3Error } from './errors.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** What an element may hold: text, a nested element set, a list (repeated element), or nothing (left out). */
export type XmlValue = string | number | boolean | undefined | XmlFields | readonly XmlValue[];
/** Child elements in order. */
export interface XmlFields {
  readonly [name: string]: XmlValue;
}

function escapeText(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are legal in keys and must be written as references
    /[&<>"\u0000-\u001f\u007f]/g,
    (character) => ENTITIES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((item: XmlValue) => element(name, item)).join('');
  if (typeof value === 'object') return `<${name}>${children(value as XmlFields)}</${name}>`;
  return `<${name}>${escapeText(String(value))}</${name}>`;
}

function children(fields: XmlFields): string {
  let text = '';
  for (const [name, value] of Object.entries(fields)) text += element(name, value);
  return text;
}

/** A whole XML document with one root in the S3 namespace. Lists repeat the element; `undefined` leaves it out. */
export function xmlDocument(root: string, value: XmlFields | string): string {
  const inner = typeof value === 'string' ? escapeText(value) : children(value);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${inner}</${root}>`;
}

/** A time, in milliseconds, as listings have it: whole seconds, written with three zeros. */
export const listedTime = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString();

/** The error body: no namespace, as S3 sends it. `elements` are what some errors say besides. */
export function errorDocument(
  { code, message, elements }: { code: string; message: string; elements: Readonly<Record<string, string>> },
  requestId: string,
): string {
  const inner = children({ Code: code, Message: message, ...elements, RequestId: requestId });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner}</Error>`;
}

const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
});

/** A parsed request element. Text is a string; repeated elements are arrays; whitespace between elements is dropped. */
export class XmlNode {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** All child elements of that name, none if absent. */
  list(name: string): XmlNode[] {
    if (typeof this.#value !== 'object' || this.#value === null) return [];
    const found: unknown = (this.#value as Record<string, unknown>)[name];
    if (found === undefined) return [];
    return (Array.isArray(found) ? found : [found]).map((item) => new XmlNode(item));
  }

  /** The only child element of that name, or undefined. */
  child(name: string): XmlNode | undefined {
    return this.list(name)[0];
  }

  /** Text of a child element, or undefined when it is absent. */
  text(name: string): string | undefined {
    return this.child(name)?.content();
  }

  /** Text of this element. */
  content(): string {
    return typeof this.#value === 'string' ? this.#value : '';
  }
}

/**
 * Parses a request body whose root element is `root`.
 * Throws MalformedXML for anything else, document type declarations included (entities are a bomb, S3 sends none).
 */
export function parseXml(body: string, root: string): XmlNode {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(body)) throw new S3Error('MalformedXML');
  let parsed: unknown;
  try {
    parsed = parser.parse(body, true);
  } catch (cause) {
    throw Object.assign(new S3Error('MalformedXML'), { cause });
  }
  const node = new XmlNode(parsed).child(root);
  if (node === undefined) throw new S3Error('MalformedXML');
  return node;
}
