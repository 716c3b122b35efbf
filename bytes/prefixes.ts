/**
 * Where bytes lie (design section 5). A prefix names image and write, so that clean-up is a prefix, a retried write replaces
 * itself, and a competing write never touches another's objects. The same form is used in the staging bucket and in stores.
 */
export const imagePrefix = (imageId: string, writeId: string): string => `images/${imageId}/${writeId}/`;
/** Bytes of PUT stage, and bytes that an import fetched. */
export const stagedPrefix = (imageId: string, writeId: string): string => `staged/${imageId}/${writeId}/`;
/** Plan and fragments of an import, in the staging bucket. */
export const planPrefix = (taskId: string): string => `plans/${taskId}/`;
