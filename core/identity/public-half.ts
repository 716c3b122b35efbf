/** A signing key without what only its owner may know. RFC 7518, section 6.2: a public key has no `d`. */
export function publicHalf({ kty, crv, x, y, kid }: Readonly<Record<string, unknown>>): object {
  return { kty, crv, x, y, kid };
}
