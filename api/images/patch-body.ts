/**
 * The two patch languages of PATCH /v2/images/{id}, made into changes (contract: images.md section 6, "Deserialization").
 * Changes are read in order: the first faulty one decides the answer.
 */
import { z } from 'zod';
import { Forbidden, InvalidInput, UnsupportedMedia } from '../../core/errors.ts';
import type { BaseValues, Change, LocationInput } from '../../core/images/patch.ts';
import { COMPUTED, DERIVED, refuseReserved } from '../../core/images/reserved.ts';
import { checkKey } from '../../core/images/rules.ts';
import { PATCH_OPERATIONS, refuseMore } from '../../core/request-limits.ts';
import type { Settings } from '../route.ts';
import type { Definition } from '../schemas/definition.ts';
import { baseDefinitions } from '../schemas/image-properties.ts';
import { checkValue, isWritable, readOnly, WRITABLE } from './attributes.ts';

const V2_0 = 'application/openstack-images-v2.0-json-patch';
const V2_1 = 'application/openstack-images-v2.1-json-patch';

/** A patch as clients send it, in the language that its media type names. */
export type PatchDocument = readonly (
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly add: string; readonly value: unknown }
  | { readonly replace: string; readonly value: unknown }
  | { readonly remove: string }
)[];

/** The media type says which language the body is in. @throws UnsupportedMedia with Accept-Patch */
export const PatchHeaders = z
  .custom<{ readonly 'content-type': typeof V2_0 | typeof V2_1 }>()
  .transform((headers) => ({ language: patchLanguage(headers['content-type']) }));

/** Body of PATCH /v2/images/{id}, to be read in a language. @throws as `parsePatch` */
export const ImagePatch = (settings: Settings) => {
  const definitions = baseDefinitions(settings);
  return z
    .custom<PatchDocument>()
    .transform((body) => (language: PatchLanguage) => parsePatch(language, body, definitions));
};

/** How an operation object is read. */
export type PatchLanguage = (element: Record<string, unknown>) => Step;

/** A patch operation of either language. */
interface Step {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: unknown;
  readonly value: unknown;
  readonly hasValue: boolean;
  /** v2.0: `add` of what exists is a conflict. */
  readonly strict: boolean;
}

/** The reader of steps that a media type asks for. @throws UnsupportedMedia with Accept-Patch */
export function patchLanguage(contentType: string | undefined): PatchLanguage {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  if (type === V2_1) return readV21;
  if (type === V2_0) return readV20;
  const supported = `${V2_0}, ${V2_1}`;
  throw new UnsupportedMedia(`Unsupported Content-Type ${contentType ?? '(none)'}; supported: ${supported}`, {
    acceptPatch: supported,
  });
}

/** @throws LimitExceeded; InvalidInput, Forbidden as the contract's table says */
export function parsePatch(
  language: PatchLanguage,
  body: unknown,
  definitions: Readonly<Record<string, Definition>>,
): Change[] {
  if (!Array.isArray(body)) throw new InvalidInput('Request body must be a JSON array of operation objects.');
  refuseMore('operations of a patch', body.length, PATCH_OPERATIONS);
  return body.map((element: unknown) => {
    if (typeof element !== 'object' || element === null || Array.isArray(element))
      throw new InvalidInput('Operations must be JSON objects.');
    return changeOf(language(element as Record<string, unknown>), definitions);
  });
}

const OPS = ['add', 'replace', 'remove'] as const;

function readV21(element: Record<string, unknown>): Step {
  const op = OPS.find((known) => known === element['op']);
  if (op === undefined)
    throw new InvalidInput(
      `Operation "op" must be one of ${OPS.join(', ')}, not ${JSON.stringify(element['op'] ?? null)}.`,
    );
  return stepOf(op, element['path'], element, false);
}

function readV20(element: Record<string, unknown>): Step {
  const named = OPS.filter((op) => Object.hasOwn(element, op));
  const [op] = named;
  if (op === undefined || named.length > 1)
    throw new InvalidInput(`Operation objects must contain exactly one member of ${OPS.join(', ')}.`);
  return stepOf(op, element[op], element, true);
}

function stepOf(op: Step['op'], path: unknown, element: Record<string, unknown>, strict: boolean): Step {
  return { op, path, value: element['value'], hasValue: Object.hasOwn(element, 'value'), strict };
}

function changeOf(step: Step, definitions: Readonly<Record<string, Definition>>): Change {
  if (step.op !== 'remove' && !step.hasValue) throw new InvalidInput('Operation is missing "value" member.');
  const [root = '', ...rest] = pointer(step.path);
  checkDepth(step, root, rest);
  refuseRoot(root);
  const { op, strict, value } = step;
  if (root === 'locations') return locationChange(step, rest[0], definitions);
  if (op !== 'remove') checkValue(definitions, root, value);
  // Past this line a value is of the type of its attribute, or text, or null where its definition says so: `checkValue` held it to that.
  // Of `remove`, which has no value to be held to anything, nobody reads one (core/images/patch.ts).
  if (isWritable(root))
    return { kind: 'base', op, strict, name: root, attribute: WRITABLE[root], value: value as BaseValues };
  checkKey(root);
  return { kind: 'property', op, strict, name: root, value: (value ?? null) as string | null };
}

function checkDepth({ op, path }: Step, root: string, rest: readonly string[]): void {
  const wanted = root === 'locations' && op !== 'replace' ? 1 : 0;
  if (rest.length !== wanted)
    throw new InvalidInput(
      `Invalid JSON pointer for this resource: '${String(path)}', e.g. ${wanted === 1 ? '/locations/-' : '/name'}`,
    );
}

function refuseRoot(root: string): void {
  if (COMPUTED.has(root) || (DERIVED.has(root) && root !== 'stores') || root === 'id') throw readOnly(root);
  if (root === 'stores') throw new Forbidden("Attribute 'stores' is read-only.");
  refuseReserved(root);
}

/** Segments of a JSON pointer, `~1` and `~0` decoded, white space around them cut off. */
function pointer(path: unknown): string[] {
  if (typeof path !== 'string')
    throw new InvalidInput(`Operation "path" must be a string, not ${JSON.stringify(path ?? null)}.`);
  if (!path.startsWith('/')) throw new InvalidInput(`Pointer '${path}' does not start with "/".`);
  if (/~(?![01])/.test(path))
    throw new InvalidInput(`Pointer '${path}' contains "~" not part of a recognized escape sequence.`);
  const segments = path
    .slice(1)
    .split('/')
    .map((segment) => segment.trim().replaceAll('~1', '/').replaceAll('~0', '~'));
  if (segments.includes('')) throw new InvalidInput(`Pointer '${path}' contains an empty segment.`);
  return segments;
}

function locationChange(
  { op, strict, value }: Step,
  position: string | undefined,
  definitions: Readonly<Record<string, Definition>>,
): Change {
  // The definition of `locations` asks for an array of objects with `url` and `metadata` (WireLocation), which the casts below rely on.
  if (op === 'replace') {
    checkValue(definitions, 'locations', value);
    return { kind: 'locations', op, name: 'locations', strict, values: (value as WireLocation[]).map(locationInput) };
  }
  const at = positionOf(position ?? '');
  if (op === 'remove') return { kind: 'locations', op, name: 'locations', strict, at };
  checkValue(definitions, 'locations', [value]);
  return { kind: 'locations', op, name: 'locations', strict, at, values: [locationInput(value as WireLocation)] };
}

interface WireLocation {
  readonly url: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly validation_data?: {
    readonly checksum?: string;
    readonly os_hash_algo: string;
    readonly os_hash_value: string;
  };
}

function locationInput({ url, metadata, validation_data: data }: WireLocation): LocationInput {
  return {
    url,
    metadata,
    ...(data && {
      validation: {
        ...(data.checksum !== undefined && { checksum: data.checksum }),
        hashAlgo: data.os_hash_algo,
        hashValue: data.os_hash_value,
      },
    }),
  };
}

function positionOf(text: string): number | 'end' {
  if (text === '-') return 'end';
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidInput(`Invalid position '${text}' of a location: a number or "-" is needed.`);
  return Number(text);
}
