/**
 * The metadata definitions catalog: which properties exist, with types, ranges and words (contract: metadefs.md). Nothing here
 * is enforced on images. This folder owns namespaces and what is nested in them; who may do what is asked of the policy here too.
 */
export const NAMESPACE_VISIBILITIES = ['public', 'private'] as const;
export type NamespaceVisibility = (typeof NAMESPACE_VISIBILITIES)[number];

/** What a namespace holds, one record each. Associations are few and short: they live in the namespace's own record. */
export const CHILD_KINDS = ['properties', 'objects', 'tags'] as const;
export type ChildKind = (typeof CHILD_KINDS)[number];

/** That the properties of a namespace apply to a kind of resource. */
export interface Association {
  /** `OS::Glance::Image`, … */
  readonly resourceType: string;
  /** Put before every property name for this type: `hw_` for images, `hw:` for flavors. */
  readonly prefix: string | null;
  /** Which of a type's property sets is meant, e.g. `image` of a volume. */
  readonly propertiesTarget: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What a PUT replaces. */
export interface NamespaceFields {
  readonly name: string;
  readonly displayName: string | null;
  readonly description: string | null;
  readonly visibility: NamespaceVisibility;
  readonly protected: boolean;
  /** A project; null only where a caller without project was let create one. */
  readonly owner: string | null;
}

export interface Namespace extends NamespaceFields {
  /** Stays when the namespace is renamed. */
  readonly id: string;
  readonly associations: readonly Association[];
  /** Children of a kind live under a generation id; replacing all of them writes a new generation and flips this pointer. */
  readonly generations: Readonly<Record<ChildKind, string>>;
  readonly counts: Readonly<Record<ChildKind, number>>;
  /** ISO 8601 with milliseconds. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Grows with every change of the record or of the set of its children. */
  readonly revision: number;
}

/** A JSON schema fragment that describes a property, or the description, properties and required list of an object. */
export type Definition = Readonly<Record<string, unknown>>;

/** A property, object or tag. */
export interface Child {
  readonly name: string;
  /** What was sent, without an object's own name; empty for a tag. */
  readonly definition: Definition;
  readonly createdAt: string;
  readonly updatedAt: string;
}
export type Contents = Readonly<Record<ChildKind, readonly Child[]>>;

export interface ResourceType {
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Key and value as clients name them: for list order. */
export const NAMESPACE_SORT_KEYS = [
  'name',
  'displayName',
  'description',
  'visibility',
  'protected',
  'owner',
  'id',
  'createdAt',
  'updatedAt',
] as const satisfies readonly (keyof Namespace)[];
export type NamespaceSortKey = (typeof NAMESPACE_SORT_KEYS)[number];

export interface NamespaceSort {
  readonly key: NamespaceSortKey;
  readonly direction: 'asc' | 'desc';
}

/** A total order: the key, then creation, then id, all in one direction; nulls first when ascending. */
export function compareNamespaces({ key, direction }: NamespaceSort): (a: Namespace, b: Namespace) => number {
  const sign = direction === 'asc' ? 1 : -1;
  return (a, b) =>
    sign * (compareValues(a[key], b[key]) || compareValues(a.createdAt, b.createdAt) || compareValues(a.id, b.id));
}

/** Code point order (the catalog's texts have no surrogates), which is the order of the table's keys. */
export function compareValues(a: string | boolean | null, b: string | boolean | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}
