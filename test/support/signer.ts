/** Somebody who signs images: a key of RSA, a certificate of it, and the four properties as Glance's signers write them. */
import { constants, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';

export interface Signer {
  readonly certificateId: string;
  /** DER. */
  readonly certificate: Buffer;
  readonly privateKey: KeyObject;
  /** The properties of an image of these bytes, SHA-256 and RSA-PSS with the longest salt. */
  properties(bytes: Uint8Array): Record<string, string>;
}

export function aSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificateId = randomUUID();
  return {
    certificateId,
    privateKey,
    certificate: selfSigned(publicKey, privateKey),
    properties: (bytes) => ({
      img_signature: sign('sha256', bytes, {
        key: privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN,
      }).toString('base64'),
      img_signature_hash_method: 'SHA-256',
      img_signature_key_type: 'RSA-PSS',
      img_signature_certificate_uuid: certificateId,
    }),
  };
}

/** One value of DER (ITU-T X.690). */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  return Buffer.concat([Buffer.from([tag, 0x82, body.length >> 8, body.length & 0xff]), body]);
}
const SEQUENCE = 0x30;
const SHA256_WITH_RSA = der(SEQUENCE, Buffer.from('06092a864886f70d01010b0500', 'hex'));
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const time = (text: string): Buffer => der(0x18, Buffer.from(text));

/** RFC 5280, section 4.1, and nothing that is optional. */
function selfSigned(publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from('signer')))));
  const validity = der(SEQUENCE, time('20260101000000Z'), time('21260101000000Z'));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const body = der(SEQUENCE, der(0x02, Buffer.from([1])), SHA256_WITH_RSA, name, validity, name, key);
  return der(SEQUENCE, body, SHA256_WITH_RSA, der(0x03, Buffer.from([0]), sign('sha256', body, privateKey)));
}

export const asPem = (certificate: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
