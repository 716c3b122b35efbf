import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Codecs } from '../../engine/codecs.ts';

/** A ramdisk is made with windows of up to 128 MiB; the buffer is only as large as what is expanded. */
const MAX_WINDOW_LOG = 27;

export const gunzipBeginning: Codecs['gunzipBeginning'] = (head) =>
  gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });

export const unzstdBeginning: Codecs['unzstdBeginning'] = (head) =>
  zstdDecompressSync(head, {
    finishFlush: constants.ZSTD_e_flush,
    params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
  });
