import { Decompress } from 'fzstd';
import { concat } from '../../engine/bytes.ts';
import type { Codecs } from '../../engine/codecs.ts';
import { Corrupt } from '../../engine/errors.ts';
import { zstdNeeds } from '../../engine/zstd-frame.ts';
import { inflateUpTo } from './inflate.ts';

/** Deflate expands at most 1032 times; a match at the very end may be one whole length more. */
const MAX_EXPANSION = 1032;
const MAX_MATCH = 258;
/** 128 MiB, as on Node. */
const MAX_WINDOW = 2 ** 27;

const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/** The first member's content, its checksum not looked at. */
export const gunzipBeginning: Codecs['gunzipBeginning'] = (head) => {
  const stream = head.subarray(headerLength(head));
  const room = new Uint8Array(stream.length * MAX_EXPANSION + MAX_MATCH);
  return room.subarray(0, inflateUpTo('raw', stream, room));
};

/** Bytes of a gzip header (RFC 1952 section 2.3); all there are when it does not end within `head`. @throws Corrupt */
function headerLength(head: Uint8Array): number {
  const flags = head[3] ?? 0;
  if (head[0] !== 0x1f || head[1] !== 0x8b || head[2] !== 8 || (flags & 0xe0) !== 0)
    throw new Corrupt('gzip: no header');
  let at = 10;
  if ((flags & FLAG.extra) !== 0) at += 2 + ((head[at] ?? 0) | ((head[at + 1] ?? 0) << 8));
  for (const text of [FLAG.name, FLAG.comment]) {
    if ((flags & text) === 0) continue;
    const nul = head.indexOf(0, at);
    at = nul < 0 ? head.length : nul + 1;
  }
  if ((flags & FLAG.headerCrc) !== 0) at += 2;
  return Math.min(at, head.length);
}

export const unzstdBeginning: Codecs['unzstdBeginning'] = (head) => {
  const { window } = zstdNeeds(head);
  if (window > MAX_WINDOW) throw new Corrupt(`zstd: a window of ${window} bytes, ${MAX_WINDOW} at most`);
  const parts: Uint8Array[] = [];
  new Decompress((part) => parts.push(part.slice())).push(head);
  return concat(parts);
};
