import type { IncomingMessage } from 'node:http';
import { Conflict, Gone } from '../core/errors.ts';
import type { Caller } from '../core/identity/caller.ts';
import {
  abandonUpload,
  assertHeld,
  beat,
  beginUpload,
  completeFile,
  completeStage,
  dutyOf,
  HEARTBEAT_MS,
  type Upload,
} from '../core/images/upload.ts';
import type { UploadKind } from '../core/images/upload-limits.ts';
import type { GatewayDeps } from './deps.ts';
import { type ReceiveOptions, receive } from './receive.ts';
import { uploadHeaders } from './upload-headers.ts';

export type PutOptions = Pick<ReceiveOptions, 'budget' | 'stallMs' | 'pace' | 'waitMs'>;

/** The record is looked at before a write unless it was so long ago at most. Milliseconds. */
const HELD_FOR_MS = 2_000;

/**
 * PUT file and PUT stage: whatever goes wrong, the image is queued again and nothing of the bytes remains.
 * @throws as `uploadHeaders`, `beginUpload`, `receive`, `completeFile` and `completeStage`, in that order
 */
export async function putBytes(
  deps: GatewayDeps,
  caller: Caller,
  kind: UploadKind,
  imageId: string,
  request: IncomingMessage,
  options: PutOptions,
): Promise<void> {
  const headers = uploadHeaders(request.headers);
  const upload = await beginUpload(deps, caller, { kind, imageId, ...headers });
  const life = keepAlive(deps, upload);
  try {
    const { signal, guard } = life;
    const project = caller.projectId ?? caller.userId;
    const received = await receive(deps, upload, request, { ...options, signal, guard, project });
    await (kind === 'file' ? completeFile : completeStage)(deps, upload, received);
  } catch (error) {
    await life.end();
    await abandon(deps, upload);
    throw error;
  }
  await life.end();
  // A heartbeat that was under way may have put the duty back.
  await deps.duties.remove(dutyOf(deps, upload).id);
}

/** What cannot be cleaned now the janitor cleans when the duty is due; the client hears why its upload failed, not about that. */
async function abandon(deps: GatewayDeps, upload: Upload): Promise<void> {
  try {
    await abandonUpload(deps, dutyOf(deps, upload));
  } catch (error) {
    deps.log.warn('a failed upload is left to the janitor', {
      image: upload.image.id,
      write: upload.writeId,
      cause: String(error),
    });
  }
}

interface Life {
  /** Aborted when the image is not ours any more. */
  readonly signal: AbortSignal;
  readonly guard: () => Promise<void>;
  /** Stops the heartbeat and waits for the one under way. */
  end(): Promise<void>;
}

/** Postpones the upload's duty while it lives, and notices when the image is deleted or taken away. */
function keepAlive(deps: GatewayDeps, upload: Upload): Life {
  const lost = new AbortController();
  let heldAt = deps.clock.now();
  let beating: Promise<void> = Promise.resolve();
  const guard = async (): Promise<void> => {
    if (deps.clock.now() - heldAt < HELD_FOR_MS) return;
    heldAt = deps.clock.now();
    await assertHeld(deps, upload);
  };
  const timer = setInterval(() => {
    beating = beating
      .then(() => beat(deps, upload))
      .then(() => assertHeld(deps, upload))
      .catch((error: unknown) => {
        if (error instanceof Gone || error instanceof Conflict) lost.abort(error);
        else deps.log.warn('a heartbeat failed', { write: upload.writeId, cause: String(error) });
      });
  }, HEARTBEAT_MS);
  return {
    signal: lost.signal,
    guard,
    async end() {
      clearInterval(timer);
      await beating;
    },
  };
}
