/** The catalog as clients read it (contract: metadefs.md sections 3 to 7). What is not set is left out. */
import { z } from 'zod';
import { NAMESPACE_VISIBILITIES } from '../../core/metadefs/namespace.ts';
import { PAGE_LINKS } from '../images/answers.ts';

const text = z.string();
const times = { created_at: text, updated_at: text };

/** A JSON schema fragment, as it was sent. */
const Fragment = z.record(text, z.unknown()).readonly();
const Dictionary = z.record(text, Fragment).readonly();
const Named = z.object({ name: text });

const bareAssociation = { name: text, prefix: text.exactOptional(), properties_target: text.exactOptional() };
const BareAssociation = z.object(bareAssociation);
export const AssociationAnswer = z.object({ ...bareAssociation, ...times });
export type AssociationAnswer = z.infer<typeof AssociationAnswer>;
export const AssociationsAnswer = z.object({ resource_type_associations: z.array(AssociationAnswer).readonly() });

export const ResourceTypeAnswer = z.object({ name: text, ...times });
export type ResourceTypeAnswer = z.infer<typeof ResourceTypeAnswer>;
export const ResourceTypesAnswer = z.object({ resource_types: z.array(ResourceTypeAnswer).readonly() });

const namespace = {
  namespace: text,
  display_name: text.exactOptional(),
  description: text.exactOptional(),
  visibility: z.enum(NAMESPACE_VISIBILITIES),
  protected: z.boolean(),
  owner: text.exactOptional(),
  ...times,
  self: text,
  schema: text,
};
/** A namespace in a list, and as PUT answers it. */
export const NamespaceAnswer = z.object({
  ...namespace,
  resource_type_associations: z.array(AssociationAnswer).readonly().exactOptional(),
});
export type NamespaceAnswer = z.infer<typeof NamespaceAnswer>;
export const NamespacesAnswer = z.object({
  namespaces: z.array(NamespaceAnswer).readonly(),
  ...PAGE_LINKS,
});

export const PropertyAnswer = z.looseObject({ name: text });
export type PropertyAnswer = z.infer<typeof PropertyAnswer>;
export const PropertiesAnswer = z.object({ properties: Dictionary });

const object = { name: text, description: text.exactOptional() };
const SentObject = z.object({
  ...object,
  required: z.array(text).readonly().exactOptional(),
  properties: Dictionary.exactOptional(),
});
/** As POST and PUT answer it: what the body left out is left out. */
export const WrittenObject = SentObject.extend({ ...times, self: text, schema: text });
export type WrittenObject = z.infer<typeof WrittenObject>;
/** As GET shows it: `required` and `properties` are there even when empty. */
export const ObjectAnswer = WrittenObject.extend({ required: z.array(text).readonly(), properties: Dictionary });
export type ObjectAnswer = z.infer<typeof ObjectAnswer>;
export const ObjectsAnswer = z.object({ objects: z.array(ObjectAnswer).readonly(), schema: text });

export const TagAnswer = z.object({ name: text, ...times });
export type TagAnswer = z.infer<typeof TagAnswer>;
export const TagsAnswer = z.object({ tags: z.array(Named).readonly() });

/** With everything in it; kinds without children are left out. */
export const WholeNamespaceAnswer = NamespaceAnswer.extend({
  properties: Dictionary.exactOptional(),
  objects: z.array(ObjectAnswer).readonly().exactOptional(),
  tags: z.array(Named).readonly().exactOptional(),
});
export type WholeNamespaceAnswer = z.infer<typeof WholeNamespaceAnswer>;

/** The answer to POST: what is nested as it was sent. */
export const CreatedNamespace = z.object({
  ...namespace,
  resource_type_associations: z.array(BareAssociation).readonly().exactOptional(),
  properties: Dictionary.exactOptional(),
  objects: z.array(SentObject).readonly().exactOptional(),
  tags: z.array(Named).readonly().exactOptional(),
});
export type CreatedNamespace = z.infer<typeof CreatedNamespace>;
export const CreatedHeaders = z.object({ location: text });
