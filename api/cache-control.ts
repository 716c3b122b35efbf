/**
 * What caches may keep of an answer. The token decides what is answered and is no part of a cache's key, so nothing between client and
 * service may keep anything: not a record, not a refusal. Image bytes the client itself may keep. RFC 9111, section 5.2.2.
 */
export const cacheControl = (holdsImageBytes: boolean): string => (holdsImageBytes ? 'private' : 'no-store');
