import { crc32 as zlibCrc32 } from 'node:zlib';
import type { Codecs } from '../../engine/codecs.ts';

/** zlib's. */
export const crc32: Codecs['crc32'] = zlibCrc32;
