const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Ids are UUIDs: anything else names no image, and no read is spent on it. */
export function isImageId(id: string): boolean {
  return UUID.test(id);
}

/** An id as records have it: UUIDs compare without case. What is none stays as it is. */
export const asId = (id: string): string => (isImageId(id) ? id.toLowerCase() : id);
