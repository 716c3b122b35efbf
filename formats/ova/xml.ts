/**
 * A small tree from untrusted XML: no DOCTYPE and so no entities beyond the five, bounded size, depth, elements and
 * attributes. Namespaces are resolved and then dropped: OVF writers differ in prefixes and use none as often. Facts
 * section 10.
 */
import { SaxesParser } from 'saxes';
import { capped } from '../engine/bytes.ts';
import { FormatError, Unsafe } from '../engine/errors.ts';

/** An element by local name; `attributes` likewise. `text` is its own character data, trimmed. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Real descriptors are 5 to 200 KiB. */
export const MAX_XML_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 20_000;
const MAX_ATTRIBUTES = 256;

interface Building {
  name: string;
  attributes: Map<string, string>;
  children: Building[];
  text: string;
}

/**
 * Parses a document in UTF-8 or, with a byte order mark, UTF-16.
 * @throws Unsafe (`xml_unsafe`) on a DOCTYPE or malformed XML, LimitExceeded on any limit
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  capped(bytes.length, MAX_XML_BYTES, 'XML bytes');
  const text = decodeText(bytes);
  if (/<!doctype/iu.test(text)) throw new Unsafe('xml_unsafe', 'XML: a DOCTYPE is not allowed');
  try {
    return buildTree(text);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    const what = error instanceof Error ? error.message : 'unknown error';
    // biome-ignore lint/style/useErrorCause: the cause is there, as the third argument
    throw new Unsafe('xml_unsafe', `XML is malformed: ${what}`, { cause: error });
  }
}

function decodeText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    // biome-ignore lint/style/useErrorCause: the cause is there, as the third argument
    throw new Unsafe('xml_unsafe', `XML is not valid ${encoding}`, { cause });
  }
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
}

function buildTree(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const document: Building = { name: '', attributes: new Map(), children: [], text: '' };
  const path: Building[] = [document];
  let elements = 0;
  let attributes = 0;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Unsafe('xml_unsafe', 'XML: a DOCTYPE is not allowed');
  });
  parser.on('opentagstart', () => {
    attributes = 0;
    capped(++elements, MAX_ELEMENTS, 'XML elements');
    capped(path.length, MAX_DEPTH, 'XML depth');
  });
  parser.on('attribute', () => {
    capped(++attributes, MAX_ATTRIBUTES, 'XML attributes of one element');
  });
  parser.on('opentag', (tag) => {
    const element: Building = { name: tag.local, attributes: new Map(), children: [], text: '' };
    for (const attribute of Object.values(tag.attributes)) element.attributes.set(attribute.local, attribute.value);
    path.at(-1)?.children.push(element);
    path.push(element);
  });
  const addText = (data: string) => {
    const element = path.at(-1);
    if (element !== undefined) element.text += data;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const element = path.pop();
    if (element !== undefined) element.text = element.text.trim();
  });
  parser.write(text).close();
  const root = document.children[0];
  if (root === undefined) throw new Unsafe('xml_unsafe', 'XML holds no element');
  return root;
}

/** Direct children of one name, case as in the specification. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** Every descendant of one name, in document order. Depth is bounded by the parser. */
export function descendantsOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...descendantsOf(child, name)]);
}

/** Text of the first child of one name, undefined when absent or blank. */
export function childText(element: XmlElement, name: string): string | undefined {
  const text = childrenOf(element, name)[0]?.text;
  return text === '' ? undefined : text;
}
