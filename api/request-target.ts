/**
 * True for a request target in origin form (RFC 9112, section 3.2.1): one slash, then anything but another slash, a backslash or a
 * control character. Whatever else a client sends could be read as another host by whoever resolves it against a base.
 */
export function isOriginForm(target: string | undefined): boolean {
  return target !== undefined && /^\/(?![/\\])[!-~\u0080-\uffff]*$/.test(target);
}
