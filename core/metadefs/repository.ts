import type {
  Association,
  Child,
  ChildKind,
  Contents,
  Namespace,
  NamespaceFields,
  NamespaceSort,
  NamespaceVisibility,
  ResourceType,
} from './namespace.ts';

/** What is counted per project. `types` are the resource types that the project brought into being. */
export const COUNTED = ['namespaces', 'properties', 'objects', 'tags', 'associations', 'types'] as const;
export type Counted = (typeof COUNTED)[number];
/** The most a project may have of each; negative: without limit. */
export type CatalogLimits = Readonly<Record<Counted, number>>;

export interface NamespaceQuery {
  /** Whose private namespaces are seen besides the public ones: one project's, none (null), or everybody's. */
  readonly reach: { readonly project: string | null } | 'all';
  readonly visibility?: NamespaceVisibility;
  /** Only namespaces associated with one of these. */
  readonly resourceTypes?: readonly string[];
  readonly sort: NamespaceSort;
  /** The last namespace of the page before. */
  readonly marker?: Namespace;
  readonly limit: number;
}

/**
 * The catalog's records. Every write is all or nothing. A write is given the namespace as the caller read it:
 * @throws StaleRevision when that is no longer so in a way that matters, so that the caller reads again; LimitExceeded when the
 *   owner would have more than it may.
 */
export interface MetadefRepository {
  /** Strongly consistent. */
  find(name: string): Promise<Namespace | undefined>;
  /** The namespace and everything in it, by one walk over its partition. */
  findWhole(name: string): Promise<{ readonly namespace: Namespace; readonly contents: Contents } | undefined>;
  /** Makes missing resource types too. @throws Conflict when the name is taken */
  create(namespace: Namespace, contents: Contents): Promise<void>;
  /** Replaces the fields; a new owner takes over what is counted. @throws Conflict when the new name is taken */
  update(before: Namespace, fields: NamespaceFields, updatedAt: string): Promise<Namespace>;
  /** Takes everything nested with it; resource types stay. */
  delete(namespace: Namespace): Promise<void>;
  /** In the query's order, after its marker, at most `limit`. */
  page(query: NamespaceQuery): Promise<{ readonly namespaces: readonly Namespace[]; readonly more: boolean }>;

  /** In the order of their names. */
  children(namespace: Namespace, kind: ChildKind): Promise<Child[]>;
  child(namespace: Namespace, kind: ChildKind, name: string): Promise<Child | undefined>;
  /** @throws Conflict when the name is taken */
  addChild(namespace: Namespace, kind: ChildKind, child: Child): Promise<void>;
  /** Replaces and perhaps renames. @throws NotFound, Conflict when the new name is taken */
  replaceChild(namespace: Namespace, kind: ChildKind, name: string, child: Child): Promise<void>;
  /** @throws NotFound */
  removeChild(namespace: Namespace, kind: ChildKind, name: string): Promise<void>;
  /** All children of a kind become these, at once however many. */
  replaceAll(namespace: Namespace, kind: ChildKind, children: readonly Child[]): Promise<void>;

  /** Makes a missing resource type too. The namespace as given has no association with it. */
  associate(namespace: Namespace, association: Association): Promise<void>;
  dissociate(namespace: Namespace, resourceType: string): Promise<void>;
  /** In the order of their names. */
  resourceTypes(): Promise<ResourceType[]>;
  /** @throws NotFound */
  removeResourceType(name: string): Promise<void>;

  /** Removes children of generations that the namespace does not name (any more). Idempotent. */
  sweep(namespaceId: string, generations: readonly string[]): Promise<void>;
  /** True once `markLoaded` was called. */
  isLoaded(): Promise<boolean>;
  /** Notes for good that the standard catalog was loaded, so that what an operator removes stays removed. */
  markLoaded(at: string): Promise<void>;
}

/** Of a verb on the metadata definitions catalog. */
export interface WithMetadefs {
  readonly metadefs: MetadefRepository;
}
