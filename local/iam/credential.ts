/** Who signed a request, and for which region and service; nothing is checked. */
export interface Credential {
  readonly accessKeyId: string;
  readonly region: string;
}

/** The credential of a version 4 signature: the header's, or the value of `X-Amz-Credential`. Undefined without one. */
export function credentialOf(authorization: string | undefined): Credential | undefined {
  const scope = /(?:^|Credential=)([^\s,=]+)\/\d{8}\/([^/]+)\/[^/]+\/aws4_request/.exec(authorization ?? '');
  const [, accessKeyId, region] = scope ?? [];
  return accessKeyId === undefined || region === undefined ? undefined : { accessKeyId, region };
}
