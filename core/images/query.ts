/** What a list asks for: who asks, which images, in which order (contract: README.md "Sorting", "Filters of GET /v2/images"). */
import type { MemberStatus } from '../members/member.ts';
import type { Image, Visibility } from './image.ts';

export const SORT_KEYS = [
  'name',
  'status',
  'containerFormat',
  'diskFormat',
  'size',
  'id',
  'createdAt',
  'updatedAt',
] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export type Direction = 'asc' | 'desc';
export interface SortTerm {
  readonly key: SortKey;
  readonly direction: Direction;
}

/** Image attributes with one value that filters may compare. */
export type FilterAttribute = {
  [K in keyof Image]: Image[K] extends string | number | boolean | null ? K : never;
}[keyof Image];

/** One condition; a list holds only images that meet all of them. */
export type Filter =
  | {
      readonly kind: 'equal';
      readonly attribute: FilterAttribute;
      readonly values: readonly (string | number | boolean)[];
    }
  | {
      readonly kind: 'compare';
      readonly attribute: FilterAttribute;
      readonly operator: 'gt' | 'gte' | 'lt' | 'lte' | 'neq';
      readonly value: string | number;
    }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'property'; readonly key: string; readonly value: string };

export interface ImageQuery {
  /** The project that asks; null for a caller without one. */
  readonly project: string | null;
  /** Admins see every project's images. */
  readonly isAdmin: boolean;
  readonly visibility?: Visibility | 'all';
  /** Which memberships let a shared image appear; `all` for any. */
  readonly memberStatus: MemberStatus | 'all';
  readonly filters: readonly Filter[];
  /** Complete: `createdAt` and `id` are among them, so that the order is total. */
  readonly sort: readonly SortTerm[];
  readonly limit: number;
  /** The image after which the page starts. */
  readonly marker?: Image;
}

/** True when an image meets every filter. Times compare as whole seconds, the form clients see. */
export function matches(image: Image, filters: readonly Filter[]): boolean {
  return filters.every((filter) => meets(image, filter));
}

function meets(image: Image, filter: Filter): boolean {
  switch (filter.kind) {
    case 'tag':
      return image.tags.includes(filter.tag);
    case 'property':
      return image.properties[filter.key] === filter.value;
    case 'equal':
      return filter.values.some((value) => value === attributeOf(image, filter.attribute));
    case 'compare': {
      const value = attributeOf(image, filter.attribute);
      return value !== null && compares(value, filter.operator, filter.value);
    }
  }
}

function attributeOf(image: Image, attribute: FilterAttribute): string | number | boolean | null {
  const value = image[attribute];
  return attribute === 'createdAt' || attribute === 'updatedAt' ? String(value).slice(0, 19) : value;
}

function compares(
  value: string | number | boolean,
  operator: 'gt' | 'gte' | 'lt' | 'lte' | 'neq',
  bound: string | number,
): boolean {
  switch (operator) {
    case 'gt':
      return value > bound;
    case 'gte':
      return value >= bound;
    case 'lt':
      return value < bound;
    case 'lte':
      return value <= bound;
    case 'neq':
      return value !== bound;
  }
}

/** Order of two images under a sort; null stands before every value. */
export function compareImages(sort: readonly SortTerm[]): (a: Image, b: Image) => number {
  return (a, b) => {
    for (const { key, direction } of sort) {
      const order = compareValues(a[key], b[key]);
      if (order !== 0) return direction === 'asc' ? order : -order;
    }
    return 0;
  };
}

function compareValues(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}
