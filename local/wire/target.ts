/**
 * True for a request target in origin form (RFC 9112, section 3.2.1). Services here read it as a path: what could name another host,
 * or is no path at all, reaches none of them.
 */
export function isOriginForm(target: string | undefined): boolean {
  return target !== undefined && /^\/(?![/\\])[!-~\u0080-\uffff]*$/.test(target);
}
