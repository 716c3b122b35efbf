import { verifySignature } from '../../bytes/imports/verify-signature.ts';
import { byteStep } from './step.ts';
import { assertFits } from './too-long.ts';

/** VerifySignature: the bytes as they arrived are signed as the image said. */
export const handler = byteStep((deps, task) => verifySignature(deps, task, { assertFits }));
