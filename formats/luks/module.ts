/**
 * LUKS containers: stored as they are, with the facts their headers give. There is no `open`: the content is unknown
 * without its key, so it is never converted. Facts section 2.
 */

import { capped, decode, exact, type Layout } from '../engine/bytes.ts';
import { Corrupt, Truncated } from '../engine/errors.ts';
import { asFinding, type Finding, finding } from '../engine/findings.ts';
import type { FormatFacts, FormatModule } from '../engine/image.ts';
import { fieldText, hasText } from '../engine/match.ts';
import type { ByteSource } from '../engine/source.ts';
import { LUKS } from './traits.ts';

const MAGIC = 'LUKS\xba\xbe';
const LUKS1 = { payloadOffset: [104, 'u32'], keyBytes: [108, 'u32'] } as const satisfies Layout;
const LUKS2 = { headerSize: [8, 'u64'] } as const satisfies Layout;
/** The specification allows 16 KiB to 4 MiB for the binary header with its JSON area. */
const MAX_LUKS2_HEADER = 4 * 1024 * 1024;
const HEADER_BYTES = 592;

/** Disk encryption container, version 1 or 2. Accepted as opaque bytes; other versions refuse. */
export const luksModule: FormatModule = {
  ...LUKS,
  safetyRules: ['luks_version', 'truncated', 'corrupt'],
  probe: ({ head }) => hasText(head, 0, MAGIC),
  async inspect(source, { head }): Promise<FormatFacts> {
    const version = ((head[6] ?? 0) << 8) | (head[7] ?? 0);
    const findings: Finding[] = [];
    let details: Record<string, unknown> = {};
    try {
      if (head.length < HEADER_BYTES) throw new Truncated(`LUKS header: ${head.length} of ${HEADER_BYTES} bytes`);
      if (version === 1) details = luks1(source, head);
      else if (version === 2) details = luks2(source, head);
      else findings.push(finding('luks_version', `LUKS version ${version} is not 1 or 2`));
    } catch (error) {
      findings.push(asFinding(error));
    }
    if (findings.length === 0) {
      findings.push(finding('luks_container', `LUKS${version} container: stored as it is, never converted`));
    }
    return {
      format: 'luks',
      virtualSize: source.size,
      subformat: `LUKS${version}`,
      findings,
      details: { encrypted: true, luks_version: version, ...details },
    };
  },
};

function luks1(source: ByteSource, head: Uint8Array): Record<string, unknown> {
  const { payloadOffset, keyBytes } = decode(LUKS1, head, 'BE');
  const payload = payloadOffset * 512;
  if (payload === 0) throw new Corrupt('LUKS1 payload offset is 0: the header would be part of the content');
  if (payload > source.size) throw new Truncated(`LUKS1 payload starts at ${payload}, object has ${source.size} bytes`);
  return {
    cipher: `${fieldText(head, 8, 32)}-${fieldText(head, 40, 32)}`,
    hash: fieldText(head, 72, 32),
    key_bits: keyBytes * 8,
    payload_offset: payload,
    payload_size: source.size - payload,
    uuid: fieldText(head, 168, 40),
  };
}

function luks2(source: ByteSource, head: Uint8Array): Record<string, unknown> {
  const headerSize = capped(
    exact(decode(LUKS2, head, 'BE').headerSize, 'LUKS2 header size'),
    MAX_LUKS2_HEADER,
    'LUKS2 header',
  );
  if (headerSize < 16 * 1024) throw new Corrupt(`LUKS2 header size ${headerSize} is below 16384`);
  if (2 * headerSize > source.size) {
    throw new Truncated(`LUKS2: two headers of ${headerSize} bytes in an object of ${source.size}`);
  }
  return {
    label: fieldText(head, 24, 48),
    checksum: fieldText(head, 72, 32),
    uuid: fieldText(head, 168, 40),
    header_size: headerSize,
  };
}
