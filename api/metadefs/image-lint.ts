import { type Finding, type KnownProperty, lintProperties } from '../../core/metadefs/lint.ts';
import type { Definition } from '../../core/metadefs/namespace.ts';

export type { Finding } from '../../core/metadefs/lint.ts';

/** What of the API's answers is needed: the image, the image schema, and namespaces shown for images (`?resource_type=`). */
export interface LintInput {
  readonly image: Readonly<Record<string, unknown>>;
  readonly schema: { readonly properties: Readonly<Record<string, { readonly is_base?: boolean }>> };
  readonly namespaces: readonly {
    readonly namespace: string;
    readonly properties?: Readonly<Record<string, Definition>>;
    readonly objects?: readonly { readonly properties?: Readonly<Record<string, Definition>> }[];
  }[];
}

/** The resource type whose namespaces describe image properties. */
export const IMAGE_TYPE = 'OS::Glance::Image';

/** Checks an image's custom properties against the catalog, all of it as the API shows it. */
export function lintImage({ image, schema, namespaces }: LintInput): Finding[] {
  const isCustom = (key: string) => schema.properties[key] === undefined || schema.properties[key].is_base === false;
  const custom = Object.entries(image).flatMap(([key, value]) =>
    isCustom(key) && typeof value === 'string' ? [[key, value] as const] : [],
  );
  const catalog = namespaces.flatMap(({ namespace, properties = {}, objects = [] }): KnownProperty[] =>
    [properties, ...objects.map((object) => object.properties ?? {})].flatMap((dictionary) =>
      Object.entries(dictionary).map(([name, definition]) => ({ name, namespace, definition })),
    ),
  );
  return lintProperties(Object.fromEntries(custom), catalog);
}
